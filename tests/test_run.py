"""Runs, from landing to publication, in one process: order, staleness, what readers see, and what a kill leaves."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import write_source
from rows import LANDED, customer, phone, store, trainer
from runs import CURATED, LANDING, TRUSTED, build, land, publish, published_bytes
from stedi import Lakehouse, Run
from stedi.contract import paths, sql, tables
from stedi.contract.errors import BadInput, LakehouseLocked, QuarantineExceeded
from stedi.storage import catalog
from stedi.storage.local import Folder
from sweeps import first_of


@pytest.fixture
def lake(tmp_path) -> str:
    return str(tmp_path / "lake")


@pytest.fixture(scope="module")
def once_published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    publish(write_source(folder / "source", LANDED), str(folder / "lake"))
    return folder / "lake"


@pytest.fixture
def published(once_published, lake) -> catalog.Catalog:
    """What the catalog says, `lake` being a lakehouse in which `rows.LANDED` is published."""
    shutil.copytree(once_published, lake)
    return Lakehouse(lake).catalog


def test_run_publishes_all_tables_and_readers_see_them(source, lake):
    run = publish(source, lake)
    found = Lakehouse(lake)
    assert found.catalog.run_id == run.id
    assert {name: entry.rows for name, entry in found.catalog.tables.items()} == {
        "customer_landing": 3, "accelerometer_landing": 4, "step_trainer_landing": 4, "customer_trusted": 2,
        "accelerometer_trusted": 3, "customer_curated": 1, "step_trainer_trusted": 2, "machine_learning_curated": 3,
    }  # fmt: skip
    assert list(found.read("customer_curated").email) == ["ann@example.com"]
    assert not Folder(lake).folders("_staging")


def test_readers_see_nothing_of_a_run_before_it_is_published(source, lake):
    land(source, lake)
    build(lake)
    with pytest.raises(BadInput, match="Nothing is published"):
        Lakehouse(lake)


def test_same_source_twice_gives_the_same_tables_and_one_copy(published, source, lake):
    first = published
    run = publish(source, lake)
    second = Lakehouse(lake).catalog
    assert first.run_id != second.run_id == run.id
    assert [entry.fingerprint for entry in first.tables.values()] == [e.fingerprint for e in second.tables.values()]
    Run.start(str(source), lake)  # the next run deletes what nobody is pointed at
    folder = Folder(lake)
    for table in tables.TABLES:
        zone = "landing_typed" if table.zone == "landing" else table.zone
        assert len(folder.folders(f"{table.subject}/{zone}")) == 1


def test_what_was_published_stays_readable_until_the_next_run_starts(published, source, lake):
    old = Lakehouse(lake)
    publish(source, lake)
    assert len(old.read("customer_trusted")) == 2


def test_audit_that_fails_publishes_nothing(published, lake, tmp_path):
    before = published_bytes(lake)
    twice = LANDED | {"customer_landing": [*LANDED["customer_landing"], customer("ann", updated=5)]}
    land(write_source(tmp_path / "twice", twice), lake)
    build(lake)
    run = Run.join(lake, builds=False)
    failed = {(check.table, check.check_id) for check in run.audit().checks if check.stops}
    assert ("customer_trusted", "email_unique") in failed
    assert "Nothing was published" in run.publish()
    assert published_bytes(lake) == before


def test_run_that_was_not_audited_is_not_published(published, source, lake):
    before = published_bytes(lake)
    land(source, lake)
    run = build(lake)
    assert "Nothing was published" in run.publish()
    assert published_bytes(lake) == before


@pytest.fixture
def audited(source, lake) -> Run:
    """A run that has passed its audit and is not published yet."""
    land(source, lake)
    build(lake)
    run = Run.join(lake, builds=False)
    assert run.audit().passed
    return run


def test_building_again_elsewhere_after_the_audit_asks_for_a_new_audit(audited, lake):
    Run.join(lake).build("machine_learning_curated")
    assert "Nothing was published" in audited.publish()
    assert "Nothing was published" in Run.join(lake, builds=False).publish()


def test_build_that_is_cut_short_after_the_audit_asks_for_a_new_audit(audited, lake, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Run, "_add", stop)
        Run.join(lake).build("machine_learning_curated")
    assert "Nothing was published" in Run.join(lake, builds=False).publish()


def test_audit_that_cannot_be_done_leaves_no_earlier_pass_behind(audited, lake, tmp_path, monkeypatch):
    shutil.copytree(paths.EXPECTATIONS, tmp_path / "expectations")
    (tmp_path / "expectations" / "landing" / "customer_landing.json").write_text("# No suite", encoding="utf-8")
    monkeypatch.setattr(paths, "EXPECTATIONS", tmp_path / "expectations")
    run = Run.join(lake, builds=False)
    with pytest.raises(BadInput, match=r"customer_landing\.json cannot be used"):
        run.audit()
    assert "Nothing was published" in run.publish()


def test_table_whose_rows_changed_after_the_audit_is_not_published(audited, lake, tmp_path):
    path = Folder(lake).root / audited.record.tables["customer_trusted"].path
    store(tmp_path, "customer_trusted", [customer("ann"), customer("bob")])
    shutil.copy(tmp_path / "customer_trusted" / "part-0.parquet", path / "part-0.parquet")
    with pytest.raises(BadInput, match="customer_trusted was changed after its audit"):
        audited.publish()
    with pytest.raises(BadInput, match="Nothing is published"):
        Lakehouse(lake)


@pytest.mark.parametrize(
    "name, missing, notebook",
    [
        ("customer_trusted", "customer_landing", "02_landing_zone"),
        ("customer_curated", "customer_trusted", "03_trusted_zone"),
        ("machine_learning_curated", "step_trainer_trusted", "04_curated_zone"),
    ],
)
def test_table_out_of_order_names_the_notebook_to_run_first(source, lake, name, missing, notebook):
    Run.start(str(source), lake)
    with pytest.raises(BadInput, match=f"no {missing} yet. Run notebook {notebook} first"):
        Run.join(lake, policy="course").build(name)


def test_04_and_05_before_03_are_sent_there(source, lake):
    land(source, lake)
    with pytest.raises(BadInput, match="no policy yet. Run notebook 03_trusted_zone first"):
        Run.join(lake)


def test_audit_before_all_tables_are_built_names_the_notebook(source, lake):
    land(source, lake)
    Run.join(lake, policy="course").build("customer_trusted")
    with pytest.raises(BadInput, match="no accelerometer_trusted yet"):
        Run.join(lake, builds=False).audit()


def test_nothing_landed_yet_is_sent_to_02(lake):
    with pytest.raises(BadInput, match="Run notebook 02_landing_zone first"):
        Run.join(lake, policy="course")


def test_building_a_parent_again_forgets_what_was_built_from_it(source, lake):
    land(source, lake)
    build(lake)
    Run.join(lake, policy="course").build("customer_trusted")
    with pytest.raises(BadInput, match="no accelerometer_trusted yet"):
        Run.join(lake).build("customer_curated")


def test_03_alone_after_publication_opens_a_new_run_on_its_landing(published, lake):
    before = published_bytes(lake)
    run = Run.join(lake, policy="course")
    assert run.id != published.run_id
    assert "2 rows" in run.build("customer_trusted")
    assert published_bytes(lake) == before, "a published run is immutable"
    for name in TRUSTED[1:] + CURATED:
        run.build(name)
    run.audit()
    assert run.publish().startswith(f"Published run {run.id}")
    assert Lakehouse(lake).catalog.tables["customer_landing"] == published.tables["customer_landing"]


def test_04_alone_after_publication_goes_on_from_the_published_trusted_tables(published, lake):
    run = Run.join(lake)
    assert (run.id != published.run_id, run.policy) == (True, "course")
    assert run.build("customer_curated").startswith("customer_curated: 1 rows")


def test_05_alone_after_publication_looks_at_the_published_run_and_changes_nothing(published, lake):
    before = published_bytes(lake)
    run = Run.join(lake, builds=False)
    assert (run.id, run.audit().passed) == (published.run_id, True)
    assert run.publish() == f"Run {published.run_id} is published already."
    assert published_bytes(lake) == before


def test_open_run_that_a_later_one_replaced_says_so(source, lake):
    old = land(source, lake)
    land(source, lake)
    with pytest.raises(BadInput, match="is gone: .*Start with 02_landing_zone"):
        old.land("customer_landing")


def test_run_id_that_is_not_open_is_refused(source, lake):
    land(source, lake)
    with pytest.raises(BadInput, match="no open run 2020"):
        Run.join(lake, run_id="2020", policy="course")


@pytest.mark.parametrize("run_id", ["../elsewhere", "a/b", ".", "-x\n", " "])
def test_run_id_that_is_no_name_is_refused(source, lake, run_id):
    with pytest.raises(BadInput, match="is no id.*Expected: letters, digits"):
        Run.start(str(source), lake, run_id=run_id)


def test_published_run_whose_record_is_gone_sends_back_to_02(published, lake):
    shutil.rmtree(Path(lake) / "runs")
    with pytest.raises(BadInput, match="Run notebook 02_landing_zone first"):
        Run.join(lake)


def test_build_that_fails_leaves_no_table_of_that_name_in_the_run(source, lake, monkeypatch):
    land(source, lake)
    build(lake)
    monkeypatch.setattr(sql, "read", lambda name, policy: "select nosuch from customer_landing")
    with pytest.raises(BadInput, match="nosuch"):
        Run.join(lake, policy="course").build("customer_trusted")
    assert set(Run.join(lake, policy="course").record.tables) == set(LANDING)


def test_unknown_policy_is_refused_and_the_run_stays_as_it_is(source, lake):
    land(source, lake)
    build(lake)
    with pytest.raises(BadInput, match="no policy 'lenient'"):
        Run.join(lake, policy="lenient")
    assert set(Run.join(lake).record.tables) == set(tables.NAMES)


@pytest.mark.parametrize("value", [-1, "5", 1.5, True, None])
def test_number_of_quarantined_lines_must_be_a_number(source, lake, value):
    with pytest.raises(BadInput, match=r"max_quarantined is .* Expected: a whole number"):
        Run.start(str(source), lake, max_quarantined=value)


def test_quarantined_lines_are_counted_over_all_tables(source, lake):
    for subject in ("customer", "accelerometer"):
        with (source / subject / "landing" / "data.json").open("a") as file:
            file.write("{cut\n")
    run = Run.start(str(source), lake, max_quarantined=1)
    run.land("customer_landing")
    with pytest.raises(QuarantineExceeded, match="for accelerometer_landing"):
        run.land("accelerometer_landing")


def test_lines_that_were_quarantined_are_counted_again_when_the_files_are_taken_in_again(source, lake):
    with (source / "customer" / "landing" / "data.json").open("a") as file:
        file.write("{cut\n")
    land(source, lake, max_quarantined=1)
    with pytest.raises(QuarantineExceeded, match="1 of 12 records"):
        land(source, lake)


@pytest.mark.parametrize(
    "inside", [pytest.param("lake/source", id="in the lakehouse"), pytest.param(".", id="around the lakehouse")]
)
def test_source_and_lakehouse_may_not_lie_in_each_other(tmp_path, lake, inside):
    (tmp_path / inside).mkdir(parents=True, exist_ok=True)
    (tmp_path / "lake").mkdir(exist_ok=True)
    (tmp_path / "lake" / "lakehouse.json").write_text("{}")
    with pytest.raises(BadInput, match="lie in each other"):
        Run.start(str(tmp_path / inside), lake)


def test_missing_source_is_refused_with_what_is_expected(tmp_path, lake):
    with pytest.raises(BadInput, match=r"does not exist\. Expected: a folder"):
        Run.start(str(tmp_path / "nowhere"), lake)


def test_empty_source_is_refused_with_the_folders_that_were_looked_in(tmp_path, lake):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="is an empty folder.*customer/landing/, customer_landing/"):
        Run.start(str(tmp_path / "empty"), lake)


def test_layout_of_the_public_bucket_is_accepted(source, tmp_path, lake):
    (tmp_path / "bucket").mkdir()
    for subject, folder in {
        "customer": "customers",
        "accelerometer": "accelerometer",
        "step_trainer": "step_trainer",
    }.items():
        (source / subject / "landing").rename(tmp_path / "bucket" / folder)
    assert len(land(tmp_path / "bucket", lake).record.landing) == 3


def test_source_that_holds_a_table_in_two_layouts_is_refused(source, lake):
    (source / "customers").mkdir()
    (source / "customers" / "more.json").write_text("{}\n")
    with pytest.raises(BadInput, match="customer_landing twice"):
        Run.start(str(source), lake).land("customer_landing")


def test_source_that_is_refused_leaves_no_lakehouse_behind(tmp_path, lake):
    with pytest.raises(BadInput):
        Run.start(str(tmp_path / "nowhere"), lake)
    assert not Path(lake).exists()


def test_stranger_is_no_fault_their_readings_are_dropped_and_counted(tmp_path, lake):
    stranger = {
        "accelerometer_landing": [*LANDED["accelerometer_landing"], phone("nobody", 99)],
        "step_trainer_landing": [*LANDED["step_trainer_landing"], trainer("nobody", 99)],
    }
    run = publish(write_source(tmp_path / "strangers", LANDED | stranger), lake)
    rows = {name: entry.rows for name, entry in run.record.tables.items()}
    assert (rows["accelerometer_landing"], rows["accelerometer_trusted"]) == (5, 3)
    assert (rows["step_trainer_landing"], rows["step_trainer_trusted"]) == (5, 2)


def test_sample_is_masked(source, lake):
    run = land(source, lake)
    assert run.sample("customer_landing", rows=2).values.tolist()[0][:5] == ["•••", "•••", "•••", "•••", "•••"]
    assert run.query("select email as e from customer_landing order by 1").e.tolist() == ["•••", "•••", "•••"]


def test_nobody_writes_while_another_run_holds_the_lakehouse(source, lake, monkeypatch):
    run = land(source, lake)
    with Folder(lake).lock("another"), pytest.raises(LakehouseLocked, match="Run another is writing"):
        monkeypatch.delenv("STEDI_LOCK")  # as in a process that the holder did not start
        run.land("customer_landing")


STEPS = ["land", "build", "move", "catalog", "cleanup"]
KILLED_AT = """
import os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from stedi import Run
from stedi.storage import catalog, local as storage
import runs
step = {step!r}
count = 0
def kill_at(cls, name, nth=1):
    original = getattr(cls, name)
    def killed(*given, **named):
        global count
        count += 1
        if count == nth:
            os.kill(os.getpid(), 9)
        return original(*given, **named)
    setattr(cls, name, killed)
source, lake = {source!r}, {lake!r}
if step == "land":
    kill_at(storage.Folder, "finish_building", 2)
runs.land(source, lake)
if step == "build":
    kill_at(storage.Folder, "write_json", 4)
runs.build(lake)
run = Run.join(lake, builds=False)
run._note_audit({{name: entry.fingerprint for name, entry in run.record.tables.items()}})  # as one that passed
if step == "move":
    kill_at(storage.Folder, "finish_building", 3)
if step == "catalog":
    kill_at(catalog, "replace")
if step == "cleanup":
    kill_at(storage.Folder, "delete")
run.publish()
"""


@pytest.mark.parametrize("step", first_of(STEPS, 2))
def test_killed_run_leaves_what_was_published_and_the_next_one_cleans_up(published, tmp_path, lake, step):
    before = published_bytes(lake)
    more = LANDED | {"accelerometer_landing": [*LANDED["accelerometer_landing"], phone("ann", 50)]}
    newer = write_source(tmp_path / "newer", more)
    tests = str(paths.ROOT / "tests")
    script = KILLED_AT.format(step=step, source=str(newer), lake=lake, tests=tests)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert done.returncode == -9, done.stderr.decode()
    if step == "cleanup":  # the catalog was replaced before: the new run is published
        assert len(Lakehouse(lake).read("accelerometer_trusted")) == 4
    else:
        assert published_bytes(lake) == before
    if step in ("move", "catalog"):  # goes on where it was cut short
        run = Run.join(lake, builds=False)
        assert run.audit().passed
        run.publish()
        assert len(Lakehouse(lake).read("accelerometer_trusted")) == 4
    Run.start(str(newer), lake)
    folder = Folder(lake)
    assert len(folder.folders("_staging")) == 1
    assert len(folder.folders("accelerometer/landing")) == len(folder.folders("machine_learning/curated")) == 1


def test_catalog_has_the_keys_that_readers_rely_on(published, lake):
    stored = json.loads((Folder(lake).root / "catalog.json").read_text())
    assert list(stored) == ["run_id", "policy", "published_at", "tables"]
    assert stored["run_id"] == published.run_id
    assert list(stored["tables"]) == list(tables.NAMES)
    entry = stored["tables"]["step_trainer_trusted"]
    assert list(entry) == ["path", "rows", "fingerprint", "columns"]
    assert entry["columns"] == {"sensorreadingtime": "bigint", "serialnumber": "string", "distancefromobject": "int"}
    assert list((Folder(lake).root / entry["path"]).glob("*.parquet"))
