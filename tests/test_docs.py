"""What the documents say is so, and no file says where it was made."""

import ast
import json
import re
import subprocess
import sys
import tomllib

import jsonschema
import pytest

import results_example
from notebook_files import NOTEBOOKS, parameters
from stedi.cli import main
from stedi.contract import paths, tables
from stedi.course import glue_jobs
from stedi.report import overview
from stedi.results.model.inspection import Customers, Ending, InspectedTable, Inspection

SCHEMA = json.loads((paths.ROOT / "docs" / "results.schema.json").read_text(encoding="utf-8"))
README = (paths.ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMMANDS = [
    *("run", "sample", "inspect", "report", "audit", "evidence", "suites", "query", "status", "compare", "forget"),
    *("rotate-key", "delete", "iam-policy"),
]


def dependencies() -> set[str]:
    """What the project and its extras for users need."""
    extras = PROJECT["optional-dependencies"]
    return {
        re.match(r"[\w-]+", each)[0]
        for each in [*PROJECT["dependencies"], *extras["aws"], *extras["spark"], *extras["lab"]]
    }


def files() -> list[str]:
    done = subprocess.run(["git", "-C", str(paths.ROOT), "ls-files"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip("the project is no git checkout")
    return done.stdout.splitlines()


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
def test_readme_lists_every_table_with_its_grain(table):
    assert f"| `{table.name}` | {table.grain} |" in README


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_readme_lists_every_notebook_with_its_parameters(name):
    [line] = [line for line in README.splitlines() if line.startswith(f"| `{name}` |")]
    assert re.findall(r"`(\w+)`", line.split("|")[3]) == list(parameters(name))


def test_readme_holds_the_flow_as_it_is_in_the_contract():
    assert overview.mermaid().strip() in README


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme_and_has_help(command, capsys):
    assert re.search(rf"^stedi {command} +\w", README, re.MULTILINE)
    assert main.main([command, "--help"]) == 0
    assert "--help" in capsys.readouterr().out


def test_commands_are_all_listed(capsys):
    assert main.main(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2]
    assert re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE) == COMMANDS


@pytest.mark.parametrize("option", ["source", "customers", "accelerometer", "step-trainer", "lakehouse", "reports",
                                    "screenshots", "policy", "engine", "from", "max-dollars", "dry-run"])  # fmt: skip
def test_readme_names_every_option_of_run(option):
    assert f"`--{option}`" in README


def test_results_document_names_every_field():
    document = (paths.ROOT / "docs" / "results.md").read_text(encoding="utf-8")

    def keys(value: object) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(keys, value))
        if not isinstance(value, dict):
            return set()
        named = {"python", "course"} | set(tables.NAMES)  # by versions, policies or tables
        own = set() if named & value.keys() or any("/" in key for key in value) else set(value)
        return own.union(*map(keys, value.values()))

    assert {
        key for key in keys(results_example.passed()) if f"`{key}`" not in document and f"`{key}[]`" not in document
    } == set()


@pytest.mark.parametrize("results", ["passed", "failed", "stopped"])
def test_results_document_is_what_the_schema_says(results):
    jsonschema.Draft202012Validator(SCHEMA).validate(getattr(results_example, results)())


def test_schema_refuses_what_is_missing_unknown_or_of_another_kind():
    validator = jsonschema.Draft202012Validator(SCHEMA)
    sound = results_example.passed()
    for wrong in ({"outcome": "fine"}, {"extra": 1}, {"tables": [{}]}, {"run": {}}, {"version": 1}):
        assert not validator.is_valid(sound | wrong)
    assert not validator.is_valid({key: value for key, value in sound.items() if key != "criteria"})


def test_environment_names_every_dependency_with_its_reason_and_no_version():
    lines = (paths.ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    listed = dict(re.findall(r"^      - ([\w-]+) # (.+)$", "\n".join(lines), re.MULTILINE))
    assert listed.keys() == dependencies()


def test_constraints_pin_every_dependency_and_hold_no_address():
    text = (paths.ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w.-]+)==[\w.]+", text, re.MULTILINE))
    assert dependencies() <= pinned
    assert all(re.match(r"[\w.-]+==\S+( ;.*)?$", line) for line in text.splitlines())


def test_no_file_names_a_package_registry_or_a_place_on_a_machine():
    hosts = "|".join(
        ("py" + "pi.org", "python" + "hosted", "registry.n" + "pmjs", "repo.ana" + "conda", "deb.deb" + "ian")
    )
    places = "|".join(
        f"/{name}/" for name in ("ro" + "ot", "wo" + "rk", r"home/\w+", "Us" + r"ers/\w+", "tm" + r"p/[\w-]+")
    )
    found = re.compile(rf"{hosts}|(?<![\w.])(?:{places})")
    for name in files():
        path = paths.ROOT / name
        if path.exists() and path.suffix not in (".png", ".gz", ".parquet"):
            assert not found.search(path.read_text(encoding="utf-8")), name


def test_nothing_of_a_run_is_committed_but_the_report_and_the_pictures():
    assert {name for name in files() if name.startswith("reports/")} <= {
        "reports/results.json",
        "reports/validation_report.html",
    }
    assert not [
        name for name in files() if name.endswith((".parquet", ".jsonl")) or name.startswith(("sample/", "lakehouse/"))
    ]


@pytest.mark.parametrize(
    "library", ["duckdb", "pandas", "great_expectations", "matplotlib", "awswrangler", "boto3", "papermill"]
)
def test_import_of_the_package_brings_in_no_heavy_library(library):
    code = f"import sys, stedi, stedi.notebook_runner.runner, stedi.cli.main; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.slow
def test_our_code_never_imports_what_is_for_aws_or_spark_in_a_local_run(tmp_path):
    """They are installed here. Great Expectations imports some of them for itself, which is its own matter."""
    from conftest import write_source
    from rows import LANDED

    source, lake = write_source(tmp_path / "source", LANDED), tmp_path / "lake"
    code = f"""
import builtins, sys

ours, original = set(), builtins.__import__

def recording(name, names=None, *more, **named):
    if (names or {{}}).get("__name__", "").startswith("stedi"):
        ours.add(name.split(".")[0])
    return original(name, names, *more, **named)

builtins.__import__ = recording
import runs
runs.publish({str(source)!r}, {str(lake)!r})
assert {{"duckdb", "great_expectations"}} <= ours, ours
unwanted = {{"awswrangler", "boto3", "botocore", "s3fs", "aiobotocore", "pyspark"}} & ours
unwanted |= {{name for name in sys.modules if name.startswith("stedi.aws")}}
print(unwanted)
sys.exit(bool(unwanted))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT / "tests", capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


MODULES = sorted((paths.ROOT / "src" / "stedi").rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(paths.ROOT / "src").as_posix())
def test_modules_and_functions_stay_as_short_as_contributing_says(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 250
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert not [each.name for each in functions if each.end_lineno - each.lineno >= 40]


def test_architecture_names_packages_and_modules_that_there_are_and_counts_them():
    text = (paths.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in MODULES if path.name == "__init__.py"} - {"stedi", "model"}
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.M)) == packages
    reading = text.partition("## One reading")[2].partition("## What a lakehouse holds")[0]
    named = set(re.findall(r"`(\w+/\w+(?:\.py|/))`", reading))
    assert [name for name in named if not (paths.ROOT / "src" / "stedi" / name).exists()] == []
    assert f"That is {len(named)} modules" in reading and len(named) <= 25


OLD = ("0018-kernels-are-forked.md", "0019-kernels-are-plain.md")  # they speak of what has gone
PAGES = [path for path in sorted((paths.ROOT / "docs").rglob("*.md")) if path.name not in OLD]


@pytest.mark.parametrize("path", [paths.ROOT / "README.md", *PAGES, *MODULES], ids=lambda path: path.name)
def test_modules_that_are_named_are_there(path):
    files = {each.name for folder in ("src", "tests", "benchmarks") for each in (paths.ROOT / folder).rglob("*.py")}
    scripts = {f"{name}.py" for name in glue_jobs.SCRIPTS}
    named = re.findall(r"`(?:[\w/]+/)?([a-z_]+\.py)`", path.read_text(encoding="utf-8"))
    assert set(named) <= files | scripts


@pytest.mark.parametrize("part", [Inspection, InspectedTable, Customers, Ending], ids=lambda part: part.__name__)
def test_document_of_inspect_describes_every_field(part):
    document = (paths.ROOT / "docs" / "inspect.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)(?:\[\])?` \| (.+) \|$", document, re.MULTILINE))
    assert {name: rows.get(name) for name in part.model_fields} == {
        name: field.description for name, field in part.model_fields.items()
    }
