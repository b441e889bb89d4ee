"""AWS that refuses, throttles, or goes away in the middle, at any call: nothing is half published, nothing is lost."""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cloud
from conftest import write_source
from rows import LANDED, customer
from runs import build, land, publish
from stedi import Lakehouse, Run
from stedi.aws import glue
from stedi.contract.errors import BadInput, CouldNotFinish, StediError
from stedi.runs import provision
from stedi.storage import aws_client, catalog, layout, open_lakehouse
from sweeps import first_of

LAKE = "s3://p3-stedi-faults"
MORE = LANDED | {"customer_landing": [*LANDED["customer_landing"], customer("dan")]}


class Killed(BaseException):
    """A process that ends between two calls makes no more of them."""


@pytest.fixture(scope="module", autouse=True)
def aws(tmp_path_factory):
    with cloud.started(tmp_path_factory.mktemp("aws")) as address:
        yield address


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("sources")
    return write_source(folder / "first", LANDED), write_source(folder / "more", MORE)


@pytest.fixture(scope="module")
def published(aws, sources) -> str:
    """The id of a run that readers see."""
    return publish(sources[0], LAKE, engine="athena").id


@pytest.fixture
def faulty(monkeypatch):
    """Lets the n-th call from now on, and all after it if it kills, end otherwise. Gives the names of all calls."""
    from botocore.client import BaseClient

    real = BaseClient._make_api_call

    def begin(at: int, error: BaseException) -> list[str]:
        made: list[str] = []

        def call(self, operation, given):
            made.append(operation)
            if len(made) == at or (len(made) > at > 0 and isinstance(error, Killed)):
                raise error
            return real(self, operation, given)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)
        return made

    yield begin
    monkeypatch.undo()


def refusal(code: str, operation: str = "PutObject"):
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": "sent by AWS"}}, operation)


def readable() -> dict[str, int]:
    """What readers get of every table: through the catalog, and where Glue says that the tables lie."""
    lake, found = open_lakehouse(LAKE), Lakehouse(LAKE)
    there = {each["Name"]: each["StorageDescriptor"]["Location"] for each in glue.list_tables(lake.names.database)}
    for name, location in there.items():
        path = location.removeprefix(f"{LAKE}/").rstrip("/")
        assert lake.files(path), f"Glue points {name} at files that are gone"
    return {name: len(found.read(name)) for name in ("customer_trusted", "machine_learning_curated")}


def publishing(sources) -> Run:
    """A run on more customers that has passed its audit, not published yet."""
    land(sources[1], LAKE, engine="athena")
    build(LAKE)
    run = Run.join(LAKE, builds=False)
    assert run.audit().passed
    return run


@pytest.mark.slow
def test_publication_cut_short_shows_the_old_tables_or_the_new_ones(published, sources, faulty, monkeypatch):
    run = publishing(sources)
    before, record = readable(), run.record.model_copy(deep=True)
    lake = open_lakehouse(LAKE)
    snapshot = everything(lake)
    made = faulty(0, Killed())
    run.publish()
    calls_made = list(made)
    monkeypatch.undo()
    after = readable()
    assert before != after and len(calls_made) > 40
    killed = 0
    for at in sampled(calls_made):
        restore(lake, snapshot)
        glue.sync_catalog(lake)
        assert readable() == before
        again = Run(open_lakehouse(LAKE), record.model_copy(deep=True))
        faulty(at, Killed())
        try:
            again.publish()
        except Killed:  # not where the call comes too late: the run's own database was dropped the first time
            killed += 1
        monkeypatch.undo()
        assert readable() in (before, after), f"killed at call {at}, {calls_made[at - 1]}"
    assert killed >= 2
    Run.start(str(sources[1]), LAKE, "athena")  # the next run takes the dead one's lock, and rolls Glue forward
    current = Lakehouse(LAKE).catalog.run_id
    assert {each["Parameters"]["stedi.run_id"] for each in glue.list_tables("p3_stedi_faults")} == {current}
    assert glue.run_databases(open_lakehouse(LAKE)) == []


def sampled(calls_made: list[str]) -> list[int]:
    """Calls at which to cut: right before the catalog's, and while Glue follows; nearly all with STEDI_DEEP."""
    if os.environ.get("STEDI_DEEP"):
        return list(range(1, len(calls_made) - 4))
    writes = [number for number, name in enumerate(calls_made, 1) if name in ("PutObject", "UpdateTable")]
    return [writes[2], writes[4]]


def everything(lake) -> dict[str, bytes]:
    return {each["Key"]: lake.read(each["Key"])[0] for each in lake.objects()}


def restore(lake, snapshot: dict[str, bytes]) -> None:
    """Put the bucket back as it was; Glue stays as it is."""
    for each in list(lake.objects()):
        if each["Key"] not in snapshot:
            lake.delete(each["Key"])
    for key, content in snapshot.items():
        aws_client.client("s3").put_object(Bucket=lake.bucket, Key=key, Body=content)


@pytest.mark.slow
def test_glue_that_refuses_after_publication_is_told_and_made_up_for(published, sources, monkeypatch):
    run = publishing(sources)
    monkeypatch.setattr(glue, "register", refuse)
    with pytest.raises(CouldNotFinish, match=r"is published, and Glue does not show all .*stedi run --from 05"):
        run.publish()
    monkeypatch.undo()
    assert Lakehouse(LAKE).catalog.run_id == run.id
    assert readable()["customer_trusted"] == 3, "Glue still points at files that are there"
    assert Run.join(LAKE, builds=False).publish() == f"Run {run.id} is published already."
    assert {each["Parameters"]["stedi.run_id"] for each in glue.list_tables("p3_stedi_faults")} == {run.id}


def refuse(*_, **__):
    with aws_client.calling("register a table"):
        raise refusal("AccessDeniedException", "UpdateTable")


def cuts(some: tuple[int, ...]) -> Iterator[int]:
    """After how many calls to cut what goes on: `some`; with STEDI_DEEP after any, until there is nothing to cut."""
    return itertools.count(1) if os.environ.get("STEDI_DEEP") else iter(some)


def survives(act: Callable[[], object]) -> bool:
    """Whether it came to its end."""
    try:
        act()
    except Killed:
        return False
    return True


@pytest.mark.slow
def test_killed_landing_loses_nothing_and_the_next_run_goes_through(published, sources, faulty, monkeypatch):
    before = readable()
    for at in cuts((5, 25, 60)):
        faulty(at, Killed())
        done = survives(lambda: land(sources[1], LAKE, engine="athena"))
        monkeypatch.undo()
        assert readable() == before
        if done:
            break
    run = land(sources[1], LAKE, engine="athena")
    assert run.record.tables["customer_landing"].rows == 4


@pytest.mark.slow
def test_killed_build_loses_nothing_and_is_taken_up_again(published, sources, faulty, monkeypatch):
    before = readable()
    land(sources[1], LAKE, engine="athena")
    for at in cuts((5, 25, 60)):
        faulty(at, Killed())
        done = survives(lambda: build(LAKE, "strict"))
        monkeypatch.undo()
        assert readable() == before
        if done:
            break
    build(LAKE, "strict")
    run = Run.join(LAKE, builds=False)
    assert run.audit().passed and run.record.tables["customer_landing"].rows == 4
    assert glue.find_database("p3_stedi_faults_key") is None and not open_lakehouse(LAKE).exists(layout.ATHENA_KEY)


@pytest.mark.slow
def test_killed_creation_and_deletion_are_made_up_for_and_leave_an_empty_account(aws, sources, faulty, monkeypatch):
    place, before = "s3://p3-stedi-brief", account()
    for at in cuts((1, 4, 9)):
        faulty(at, Killed())
        done = survives(lambda: provision.create(place))
        monkeypatch.undo()
        provision.create(place)
        assert provision.delete(provision.existing(place)) == []
        assert account() == before, f"creation was cut at call {at}"
        if done:
            break
    for at in cuts((3, 20, 45)):
        land(sources[0], place, engine="athena")
        faulty(at, Killed())
        done = survives(lambda: provision.delete(provision.existing(place)))
        monkeypatch.undo()
        if not done and account() != before:
            assert provision.delete(provision.existing(place)) == []
        assert account() == before, f"deletion was cut at call {at}"
        if done:
            break


def account() -> dict[str, list[str]]:
    """What there is of each kind."""
    s3, glue_, athena = (aws_client.client(name) for name in ("s3", "glue", "athena"))
    return {
        "buckets": [each["Name"] for each in s3.list_buckets()["Buckets"]],
        "databases": [each["Name"] for each in glue_.get_databases()["DatabaseList"]],
        "workgroups": [each["Name"] for each in athena.list_work_groups()["WorkGroups"]],
    }


@pytest.mark.parametrize(
    "error, kind, says",
    first_of(
        [
            pytest.param(
                refusal("AccessDenied"), BadInput, r"\(PutObject: AccessDenied\).*stedi iam-policy", id="denied"
            ),
            pytest.param(
                refusal("AccessDeniedException", "GetTable"), BadInput, "permission for GetTable", id="by Glue"
            ),
            pytest.param(refusal("ExpiredToken"), BadInput, "credentials have expired. Renew them", id="expired"),
            pytest.param(refusal("InvalidAccessKeyId"), BadInput, "does not know the credentials", id="unknown"),
            pytest.param(
                refusal("PermanentRedirect"), BadInput, "wrong region. Set AWS_DEFAULT_REGION", id="wrong region"
            ),
            pytest.param(refusal("SlowDown"), CouldNotFinish, "too busy 6 times in a row", id="busy"),
            pytest.param(refusal("InternalError"), CouldNotFinish, "could not. Try again", id="503"),
        ],
        2,
    ),
)
def test_answer_of_aws_is_told_with_what_to_do_and_the_old_tables_stay(published, sources, faulty, monkeypatch, error,
                                                                       kind, says):  # fmt: skip
    before = readable()
    faulty(12, error)
    with pytest.raises(StediError, match=says) as raised:
        land(sources[1], LAKE, engine="athena")
    monkeypatch.undo()
    assert type(raised.value) is kind
    assert readable() == before


@pytest.mark.parametrize("service", ["s3", "glue", "athena"])
def test_throttling_is_retried_with_back_off(aws, monkeypatch, service):
    from botocore.awsrequest import AWSResponse
    from botocore.httpsession import URLLib3Session

    sent, real = [], URLLib3Session.send

    def send(self, request):
        sent.append(request.url)
        if len(sent) < 3:
            body = b"<Error><Code>SlowDown</Code></Error>" if service == "s3" else b'{"__type": "ThrottlingException"}'
            answer = AWSResponse(request.url, 503 if service == "s3" else 400, {}, None)
            answer._content = body
            return answer
        return real(self, request)

    pauses = []
    monkeypatch.setattr(URLLib3Session, "send", send)
    monkeypatch.setattr("botocore.endpoint.time.sleep", pauses.append)
    ask = {"s3": lambda c: c.list_buckets(), "glue": lambda c: c.get_databases(),
           "athena": lambda c: c.list_work_groups()}  # fmt: skip
    ask[service](aws_client.client(service))
    assert len(sent) == 3 and len(pauses) == 2


def test_connection_cut_in_the_middle_of_an_upload_leaves_nothing_that_a_later_run_would_use(
    published, sources, monkeypatch, tmp_path
):
    from botocore.exceptions import ConnectionClosedError

    source = Path(shutil.copytree(sources[1], tmp_path / "large"))
    for number in range(3):
        write_source(tmp_path / str(number), MORE | {"customer_landing": [customer(f"new-{number}")]})
        shutil.copyfile(tmp_path / f"{number}/customer/landing/data.json", source / f"customer/landing/{number}.json")
    client, real, parts = aws_client.client("s3"), aws_client.client("s3").upload_file, []

    def upload(file, bucket, key, **more):
        parts.append(key)
        if len(parts) == 3:
            raise ConnectionClosedError(endpoint_url="http://s3")
        return real(file, bucket, key, **more)

    monkeypatch.setattr(client, "upload_file", upload)
    run = Run.start(str(source), LAKE, "athena")
    with pytest.raises(CouldNotFinish, match="could not be reached to write to s3://p3-stedi-faults/customer/landing/"):
        run.land("customer_landing")
    monkeypatch.undo()
    assert run.land("customer_landing").rows == 7
    assert catalog.load(open_lakehouse(LAKE)).run_id != run.id


def test_missing_credentials_end_with_what_to_set(monkeypatch):
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session())
    with pytest.raises(BadInput, match=r"Unable to locate credentials.*AWS_ACCESS_KEY_ID"):
        provision.create("s3://nobody-here")
