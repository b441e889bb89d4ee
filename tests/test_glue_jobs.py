"""The five Glue job scripts, unmodified, on local Spark: they build what every engine builds, twice in a row too."""

import ast
import json
import runpy
import shutil
import sys
from pathlib import Path

import pytest

from rows import contents
from stedi.contract import tables
from stedi.contract.policies import POLICIES
from stedi.course import glue_jobs
from stedi.sample import generate
from stedi.storage import keys

STANDIN = Path(__file__).parent / "glue_standin"
SECRET = b"k" * 32


@pytest.fixture(scope="module")
def spark():
    """A small Spark, for all scripts of this module; skipped where there is none."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed (the `spark` extra)")
    if not shutil.which("java"):
        pytest.skip("Spark needs Java, and there is none on the path")
    settings = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.sql.session.timeZone": "UTC"}
    session = sql.SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("jobs") / "sample"
    generate.generate(folder)
    return folder


def run(spark, folder: Path, source: Path, script: str) -> None:
    """Run a script as Glue does: its parameters on the command line, its library importable, nothing kept in memory."""
    spark.catalog.clearCache()
    given = {"JOB_NAME": script, "SOURCE": source, "TARGET": folder / "out", "DATABASE": "stedi", "KEY": folder / "key"}
    sys.argv = [script, *(str(word) for name, value in given.items() for word in (f"--{name}", value))]
    runpy.run_path(str(folder / f"{script}.py"), run_name="__main__")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # pyspark's own
@pytest.mark.parametrize("policy", ["course", "strict"])
def test_scripts_build_what_the_policy_says_twice_in_a_row(spark, source, tmp_path, monkeypatch, policy):
    monkeypatch.syspath_prepend(str(STANDIN))
    monkeypatch.setattr(sys, "argv", [])
    glue_jobs.write_scripts(tmp_path, policy)
    (tmp_path / "key").write_bytes(SECRET)
    expected = json.loads((source / "expected.json").read_text())["rows"][policy]
    for _ in range(2 if policy == "course" else 1):
        for script in glue_jobs.SCRIPTS:
            run(spark, tmp_path, source, script)
    from awsglue.context import CATALOG

    for name in glue_jobs.SCRIPTS.values():
        table, path = tables.table(name, policy), CATALOG["stedi", name][0].rstrip("/")
        seen = contents(path)
        assert (name, seen.rows) == (name, expected[name])
        assert seen.columns == {column.name: column.type for column in table.columns}
    if policy != "course":
        made = spark.read.parquet(CATALOG["stedi", "machine_learning_curated"][0]).select("participant").first()[0]
        assert len(made) == 64 and len(SECRET) == keys.LENGTH


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("script", glue_jobs.SCRIPTS)
def test_script_is_readable_and_keeps_the_catalog_up_to_date(script, policy):
    text = glue_jobs.render_script(glue_jobs.SCRIPTS[script], policy)
    ast.parse(text)
    assert len(text.splitlines()) < 170 and max(map(len, text.splitlines())) <= 120
    assert 'updateBehavior="UPDATE_IN_DATABASE"' in text and "enableUpdateCatalog=True" in text
    assert text.index("purge_s3_path") < text.index("writeFrame")


@pytest.mark.parametrize("script", ["customer_landing_to_trusted", "accelerometer_landing_to_trusted",
                                    "step_trainer_trusted"])  # fmt: skip
def test_scripts_that_the_course_names_read_landing_from_its_path_on_s3(script):
    text = glue_jobs.render_script(glue_jobs.SCRIPTS[script], "course")
    assert "create_dynamic_frame.from_options" in text and "/landing/" in text


def test_script_names_the_copies_that_glue_has_to_read_of_a_table_that_came_in_another_form():
    text = glue_jobs.render_script("accelerometer_trusted", "course", {"accelerometer_landing": "copies/of/it"})
    [comment] = [line for line in text.splitlines() if "copies/of/it/" in line]
    assert comment.startswith("# ") and ast.parse(text)
    assert "copies" not in glue_jobs.render_script("accelerometer_trusted", "course")
