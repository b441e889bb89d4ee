"""Where the landing files of a source are found, whatever its layout, and which options name them table by table."""

import gzip
import json
import os
import shutil
from pathlib import Path

import pytest

import cloud
from conftest import write_source
from rows import LANDED
from runs import build, land, publish
from stedi import Run
from stedi.cli import main
from stedi.contract import tables
from stedi.contract.errors import BadInput
from stedi.contract.tables import LANDING
from stedi.ingest import discover, layouts
from stedi.notebook_runner import up_to_date
from stedi.notebook_runner.options import Options
from stedi.runs import provision
from stedi.storage import open_source

CUSTOMER, PHONE, TRAINER = (table.name for table in LANDING)


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> dict[str, bytes]:
    """The landing JSON of a few rows, by table."""
    source = write_source(tmp_path_factory.mktemp("rows"), LANDED)
    return {table.name: (source / table.subject / "landing" / "data.json").read_bytes() for table in LANDING}


@pytest.fixture
def place(tmp_path, content):
    """Writes a source: {path: table whose rows the file holds, or other content}."""

    def write(files: dict[str, str | bytes], root: str = "source") -> Path:
        for name, held in files.items():
            path = tmp_path / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = held if isinstance(held, bytes) else content[held]
            path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return tmp_path / root

    return write


def three(customer: str, accelerometer: str, step_trainer: str) -> dict[str, str]:
    return {customer: CUSTOMER, accelerometer: PHONE, step_trainer: TRAINER}


def found(source, **own) -> dict[str, list[str]]:
    """What is found, by table: paths relative to the source, or whole ones of what lies elsewhere."""
    located = discover.locate_all(
        source, tables.sources({"customers": "", "accelerometer": "", "step_trainer": ""} | own)
    )
    return {name: [os.path.relpath(files.url(each), source) for each in files.files] for name, files in located.items()}


LAYOUTS = {
    "of the repository": three("customer/landing/customer-1691348231425.json", "accelerometer/landing/a.json",
                               "step_trainer/landing/s.json"),
    "of the bucket": three("customers/customers.json", "accelerometer/a.json", "step_trainer/s.json"),
    "of 2022": three("customer/customer-keep-1.json", "accelerometer/a-1.json", "step_trainer/step_trainer-1.json"),
    "as the course tells": three("customer_landing/a.json", "accelerometer_landing/a.json",
                                 "step_trainer_landing/a.json"),
    "the same below landing": three("landing/customer_landing/a.json", "landing/accelerometer_landing/a.json",
                                    "landing/step_trainer_landing/a.json"),
    "below landing": three("landing/customer/a.json", "landing/accelerometer/a.json", "landing/step_trainer/a.json"),
    "aliases below landing": three("landing/customers/a.json", "landing/accelerometer/a.json",
                                   "landing/step-trainer/a.json"),
    "with hyphens": three("customer-landing/a.json", "accelerometer-landing/a.json", "step-trainer-landing/a.json"),
    "in one word": three("customerlanding/a.json", "accelerometer/a.json", "steptrainer/a.json"),
    "in capitals": three("Customer/Landing/A.JSON", "ACCELEROMETER/a.json", "Step_Trainer/Landing/a.json"),
    "in camel case": three("customerLanding/a.json", "accelerometerLanding/a.json", "stepTrainerLanding/a.json"),
    "aliases with a zone": three("customers/landing/a.json", "accelerometer/landing/a.json",
                                 "step_trainer/landing/a.json"),
    "flat": three("customer.json", "accelerometer-1.json", "step_trainer.json"),
    "flat with numbers of copies": three("customers (1).json", "accelerometer (1).json", "step-trainer (1).json"),
    "flat, other endings": three("customers.jsonl", "Accelerometer.ndjson", "steptrainer.json.gz"),
    "flat without endings": three("customer_landing", "accelerometer-1-2023-08-09-12-00-00-3fa9c2", "step_trainer.gz"),
    "flat below landing": three("landing/customer.json", "landing/accelerometer.json", "landing/step_trainer.json"),
    "flat and folders": three("customer.json", "accelerometer/part-00000", "landing/step_trainer/a.json"),
    "in subfolders": three("customer/landing/2023/08/a.json", "accelerometer/landing/day=1/part-00000",
                           "step_trainer/landing/x/y/z.json.gz"),
    "a clone": three("project/starter/customer/landing/a.json", "project/starter/accelerometer/landing/a.json",
                     "project/starter/step_trainer/landing/a.json"),
    "a folder of data": three("data/customers.json", "data/accelerometer.json", "data/step_trainer.json"),
}  # fmt: skip


@pytest.mark.parametrize("files", LAYOUTS.values(), ids=LAYOUTS)
def test_each_layout_is_found(place, files):
    assert found(place(files)) == {table: [name] for name, table in files.items()}


NOISE = (
    "README.md", "LICENSE", ".DS_Store", "notes.txt", "customer.py", "customer_landing.sql", "accelerometer.ipynb",
    "Makefile",
    "step_trainer_landing.png", "customer_landing.pdf", "customer.html", "customer.yml", "customer_trusted.json",
    "accelerometer_trusted/a.json", "customer_landing_to_trusted.json", "customer_curated.json", ".git/HEAD",
    "customer/landing/README.md", "customer/landing/README", "customer/landing/.hidden.json",
    "customer/landing/_SUCCESS",
    "customer/landing/a.json:Zone.Identifier", "customer/landing/a.json.bak", "customer/landing/a.json~",
    "customer_$folder$",
    "customer/trusted/a.json", "customer/landing/trusted/a.json", "step_trainer/curated/a.json", "expected.json",
    "machine_learning_curated/a.json", "athena-results/x.csv", "athena-results/x.csv.metadata",
    "customer/landing/sha256sums",
)  # fmt: skip


@pytest.mark.parametrize("name", NOISE)
def test_what_is_no_data_beside_it_never_counts(place, name):
    usual = LAYOUTS["of the repository"]
    source = place(usual | {name: b'{"x": 1}\n'})
    assert found(source) == {table: [path] for path, table in usual.items()}


def test_later_zones_and_notes_in_one_folder_never_count(place):
    flat = three("data/customer.json", "data/accelerometer.json", "data/step_trainer.json")
    noise = ("customer_trusted.json", "CustomerCurated.json", "step_trainer_trusted.json", "customer.md", "a.csv")
    source = place(flat | {f"data/{name}": CUSTOMER for name in noise} | {"README.md": b"x"})
    assert found(source) == {table: [path] for path, table in flat.items()}


@pytest.mark.parametrize(
    "name, data",
    [
        ("a.json", True), ("a.JSON.GZ", True), ("a.jsonl", True), ("a.ndjson.gz", True), ("part-00000", True),
        ("part-00000.gz", True), ("stream-1-2023-08-09-12-00-00-3fa9c2", True), ("x/a.2023-08-09", True),
        ("a.json.1", True),
        ("README", False), ("licence", False), ("a.csv", False), ("a.parquet", False), ("a.7z", False),
        ("a.tar.gz", False),
        ("a.json.zip", False), ("a.txt", False), ("a.json.crdownload", False), ("a.json~", False),
    ],
)  # fmt: skip
def test_endings_of_landing_files(name, data):
    assert layouts.is_landing_file(name) == data


@pytest.mark.parametrize(
    "first, second, named",
    [
        pytest.param("customer/landing/a.json", "customers/a.json", "customer/landing/ and customers/", id="the alias"),
        pytest.param("customer/a.json", "customer.json", "customer/ and the source itself", id="flat and a folder"),
        pytest.param("customer_landing/a.json", "landing/customer/a.json", "customer_landing/ and landing/customer/",
                     id="below landing"),
        pytest.param("Customer/a.json", "customer/a.json", "Customer/ and customer/", id="two cases"),
    ],
)  # fmt: skip
def test_table_in_two_places_is_refused_and_both_are_named(place, first, second, named):
    usual = LAYOUTS["of the repository"]
    others = {path: table for path, table in usual.items() if table != CUSTOMER}
    source = place({first: CUSTOMER, second: CUSTOMER} | others)
    with pytest.raises(BadInput, match=f"holds customer_landing twice, in {named}. .*\n  --customers "):
        found(source)
    assert found(source, customers=str(source / first))[CUSTOMER] == [first]


@pytest.mark.parametrize(
    "name", ["c.csv", "c.parquet", "c.zip", "c.json.part", "c.xml", "c.avro", "c.json.bz2", "c.weird"]
)
def test_other_formats_beside_the_json_of_a_table_are_refused_with_what_they_are(place, name):
    source = place(LAYOUTS["of the repository"] | {f"customer/landing/{name}": b"email,phone\na,b\n"})
    with pytest.raises(
        BadInput, match=rf"Beside .* of customer_landing lies .*{name}, .* a CSV file with the columns email"
    ):
        found(source)


def test_two_clones_are_refused_with_a_command_for_each(place, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for root in ("source/one", "source/my two"):
        place(LAYOUTS["flat"], root)
    with pytest.raises(BadInput) as raised:
        found("source")
    assert str(raised.value).splitlines()[1:] == [
        "  stedi run --source 'source/my two'", "  stedi run --source source/one"
    ]  # fmt: skip


def test_folder_that_may_not_be_read_is_named_where_it_is_given_and_else_passed_over(place, monkeypatch):
    source = place({f"starter/{name}": table for name, table in LAYOUTS["flat"].items()} | {"private/a": b""})
    real = Path.iterdir

    def refuse(self):
        if self.name == "private":
            raise PermissionError(13, "Permission denied")
        return real(self)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert found(source)[CUSTOMER] == ["starter/customer.json"]
    with pytest.raises(BadInput, match=r"private cannot be read \(Permission denied\)"):
        found(source / "private")


def test_lakehouse_below_a_source_is_none_of_its_folders(place):
    source = place({f"starter/{name}": table for name, table in LAYOUTS["flat"].items()})
    place(
        {f"lake/{name}": table for name, table in LAYOUTS["of the repository"].items()} | {"lake/lakehouse.json": b"{}"}
    )
    assert found(source)[CUSTOMER] == ["starter/customer.json"]


def test_folder_too_deep_is_not_taken_and_told(place):
    deep = {f"a/b/c/d/{name}": table for name, table in LAYOUTS["flat"].items()}
    with pytest.raises(BadInput, match=r"holds no files for customer_(.|\n)*--customers \S*a/b/c/d/customer.json"):
        found(place(deep))


@pytest.mark.parametrize("low", ["customer", "customer/landing", "accelerometer", "step_trainer/landing"])
def test_folder_of_one_table_is_answered_with_the_one_that_holds_all(place, monkeypatch, tmp_path, low):
    monkeypatch.chdir(tmp_path)
    place(LAYOUTS["of the repository"])
    with pytest.raises(BadInput, match=r"\n  stedi run --source source$"):
        found(f"source/{low}")


@pytest.mark.parametrize(
    "given, names",
    [
        pytest.param("people.json", ["people.json"], id="a file"),
        pytest.param("people", ["people/x.json", "people/y/z.json"], id="a folder"),
        pytest.param("lists/people.txt", ["lists/people.txt"], id="a file with another ending"),
        pytest.param("zone", ["zone/landing/a.json"], id="a folder with a landing zone"),
        pytest.param("mixed", ["mixed/customers.json"], id="a folder that holds another table too"),
    ],
)
def test_table_is_taken_from_the_place_that_is_given_for_it(place, given, names):
    more = {"mixed/accelerometer.json": PHONE, "zone/trusted/b.json": CUSTOMER}
    source = place(LAYOUTS["of the bucket"] | dict.fromkeys(names, CUSTOMER) | more)
    expected = {PHONE: ["accelerometer/a.json"], TRAINER: ["step_trainer/s.json"], CUSTOMER: names}
    assert found(source, customers=source / given) == expected


def test_all_tables_may_have_places_of_their_own_and_then_there_need_be_no_source(place):
    root = place(three("c", "a.ndjson", "s.json"))
    own = {"customers": root / "c", "accelerometer": root / "a.ndjson", "step_trainer": root / "s.json"}
    assert discover.locate_all("nowhere", tables.sources(own)).keys() == {CUSTOMER, PHONE, TRAINER}


def test_run_lands_the_same_from_places_of_their_own_as_from_one_source(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    usual = place(LAYOUTS["of the repository"])
    place(three("c.json", "phones/a.json", "s.json"), "mine")
    own = {"customers": "mine/c.json", "accelerometer": Path("mine/phones"), "step_trainer": "mine/s.json"}
    first, second = land(usual, "one"), land("nowhere", "two", **own)
    fingerprints = [{name: table.fingerprint for name, table in run.record.tables.items()} for run in (first, second)]
    assert fingerprints[0] == fingerprints[1]
    assert not Path("sample").exists()
    assert second.record.table_sources == {CUSTOMER: str(tmp_path / "mine/c.json"),
                                           PHONE: str(tmp_path / "mine/phones"),
                                           TRAINER: str(tmp_path / "mine/s.json")}  # fmt: skip
    monkeypatch.chdir("mine")
    Run.join(str(tmp_path / "two"), policy="course").land(CUSTOMER)  # from another working folder


@pytest.fixture
def published(place, tmp_path, monkeypatch):
    """A run that was published with places of their own for two tables; the options that give the same again."""
    monkeypatch.chdir(tmp_path)
    place(LAYOUTS["of the repository"])
    place({"c.json": CUSTOMER, "phones/a.json": PHONE}, "mine")
    own = {"customers": "mine/c.json", "accelerometer": "mine/phones"}
    options = Options(source="source", lakehouse="lake", **own)
    parts = up_to_date.digest_inputs(provision.create("lake"), options)
    run = publish("source", "lake", **own)
    run.audit()
    run.report("reports", "screenshots")
    up_to_date.remember(run.lake, run.id, parts)
    return run, options


def unchanged(options: Options) -> bool:
    lake = provision.existing("lake")
    return up_to_date.find_unchanged(lake, options, up_to_date.digest_inputs(lake, options)) is not None


def test_run_with_places_of_their_own_is_up_to_date_until_one_of_them_changes(published):
    _, options = published
    assert unchanged(options)
    Path("source/customer/landing/more.json").write_bytes(b"{}\n")  # not read
    assert unchanged(options)
    assert not unchanged(Options(source="source", lakehouse="lake"))
    shutil.copy("mine/c.json", "mine/d.json")
    assert not unchanged(Options(**vars(options) | {"customers": "mine/d.json"}))
    Path("mine/phones/b.json").write_bytes(b"{}\n")
    assert not unchanged(options)


def test_report_shows_the_places_and_the_command_with_them(published):
    told = json.loads(Path("reports/results.json").read_text(encoding="utf-8"))["run"]
    assert told["table_sources"] == {CUSTOMER: "mine/c.json", PHONE: "mine/phones"}
    assert "--source source --customers mine/c.json --accelerometer mine/phones --policy" in told["command"][-1]
    page = Path("reports/validation_report.html").read_text(encoding="utf-8")
    assert "<dt>Source of accelerometer_landing</dt><dd><code>mine/phones</code>" in page


def test_run_that_is_continued_or_renewed_keeps_the_places(published):
    run, _ = published
    assert Run.again(run.lake).record.table_sources == run.record.table_sources
    build("lake")
    assert Run.join("lake").record.table_sources == run.record.table_sources


def test_places_are_settled_by_the_notebook_that_lands(capsys):
    given = ["--customers", "a", "--accelerometer", "b", "--step-trainer", "c"]
    assert main.main(["run", "--from", "03", *given]) == 2
    assert "--accelerometer, --customers, --step-trainer cannot" in capsys.readouterr().err.replace(
        "--customers, --accelerometer", "--accelerometer, --customers"
    )


def test_lakehouse_may_not_hold_the_place_of_a_table(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place(LAYOUTS["of the repository"])
    place({"c.json": CUSTOMER}, "lake")
    with pytest.raises(BadInput, match=r"The source lake/c.json and the lakehouse lake lie in each other"):
        Run.start("source", "lake", customers="lake/c.json")


def test_plan_counts_the_files_of_each_place(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    place(LAYOUTS["of the repository"])
    place({"a.json": CUSTOMER, "b.json": CUSTOMER}, "mine")
    assert main.main(["run", "--source", "source", "--customers", "mine", "--dry-run"]) == 0
    size = 2 * Path("mine/a.json").stat().st_size
    assert f"customer_landing             2 files {size:>15,} bytes" in capsys.readouterr().out


def test_room_is_asked_for_what_is_found(place, monkeypatch):
    located = discover.locate_all(place(LAYOUTS["flat"]), {})
    lake = provision.create(str(place({}, "lake")))
    monkeypatch.setattr(type(lake), "free_bytes", lambda self: sum(files.size for files in located.values()))
    with pytest.raises(Exception, match=r"needs 0.00 GB in the lakehouse .*Make room"):
        discover.check_room(located, lake)


def upload(folder: Path, prefix: str) -> None:
    import boto3

    for path in sorted(folder.rglob("*")):
        if path.is_file():
            boto3.client("s3").upload_file(str(path), "given", f"{prefix}{path.relative_to(folder).as_posix()}")


@pytest.fixture
def bucket(tmp_path_factory):
    import boto3

    with cloud.started(tmp_path_factory.mktemp("aws")):
        boto3.client("s3").create_bucket(Bucket="given")
        yield
        for found in boto3.client("s3").list_objects_v2(Bucket="given")["Contents"]:  # the next server knows them still
            boto3.client("s3").delete_object(Bucket="given", Key=found["Key"])


def test_bucket_is_searched_as_a_folder_is(place, bucket):
    for number, (name, files) in enumerate(LAYOUTS.items()):
        upload(place(files, f"source-{number}"), f"{number}/")
        located = discover.locate_all(f"s3://given/{number}", {})
        urls = {table: [found.url(each) for each in found.files] for table, found in located.items()}
        assert urls == {table: [f"s3://given/{number}/{path}"] for path, table in files.items()}, name


def test_objects_and_prefixes_are_places_of_tables_too(place, bucket, tmp_path):
    upload(place(three("c.json", "phones/a.json", "elsewhere/step_trainer/s.json")), "")
    lake = str(tmp_path / "lake")
    own = {"customers": "s3://given/c.json", "accelerometer": "s3://given/phones/"}
    run = land("s3://given/elsewhere", lake, **own)
    assert [run.record.tables[table.name].rows for table in LANDING] == [len(LANDED[table.name]) for table in LANDING]
    assert run.record.table_sources == {CUSTOMER: "s3://given/c.json", PHONE: "s3://given/phones/"}


@pytest.mark.parametrize(
    "options, says",
    [
        pytest.param({"source": "s3://given/c.json"}, r"The source s3://given/c.json is a file. .*--customers s3://given/c.json",
                     id="a source that is an object"),
        pytest.param({"source": "s3://given", "customers": "s3://given/nothing"},
                     "--customers s3://given/nothing holds nothing. Expected: an s3:// prefix", id="no such prefix"),
        pytest.param({"source": "s3://given"}, r"\n  c.json .*records of customer_landing", id="a wrong layout"),
        pytest.param({"source": "s3://given/customers"}, r"stedi run --source s3://given$", id="one level too low"),
    ],
)  # fmt: skip
def test_wrong_places_on_s3_are_told_as_those_in_folders(place, bucket, options, says):
    files = {"c.json": CUSTOMER, "empty.json": b""}
    upload(place(LAYOUTS["of the bucket"] if options["source"].endswith("customers") else files), "")
    with pytest.raises(BadInput, match=says):
        found(open_source("s3://given") and options.pop("source"), **options)
