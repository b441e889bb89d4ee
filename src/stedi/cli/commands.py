"""What each command does, with its options as they were typed. `cli.py` reads them."""

import argparse
import atexit
import os
import sys
from dataclasses import fields
from pathlib import Path

from stedi.contract import paths, tables
from stedi.contract.errors import BadInput
from stedi.contract.notebooks import DELETE
from stedi.notebook_runner import runner
from stedi.notebook_runner.runner import Options

PLACES = ("source", "lakehouse", "reports", "screenshots")


def _place(given: argparse.Namespace, name: str) -> str:
    """A place as notebooks take it: what a user types is relative to where they are, a default to the project."""
    typed = getattr(given, name)
    return getattr(Options, name) if typed is None else _typed(typed)


def _typed(typed: str) -> str:
    """A place as notebooks take it, relative to where the user is."""
    return typed if typed.startswith("s3://") else paths.shown(Path(typed).expanduser().absolute())


def run(given: argparse.Namespace) -> None:
    """Run the notebooks, or say what that would do."""
    typed = [option.name for option in fields(Options) if getattr(given, option.name) is not None]
    runner.steps_from(given.first)
    _refuse_ignored(typed, given.first)
    options = Options(**{name: getattr(given, name) for name in typed} | {name: _place(given, name) for name in PLACES})
    if given.dry_run:
        from stedi.notebook_runner import dry_run

        print(dry_run.text(options))
        return
    from stedi.report.summary import summarize_after
    from stedi.results import store

    with summarize_after(options.reports, given.summary, store.of_reports):
        runner.run(options, given.first)
    from stedi.runs.lakehouse import Lakehouse

    print(f"\n{Lakehouse(options.lakehouse).status()}")
    if options.lakehouse.startswith("s3://"):
        print(_cost(options.lakehouse))
    print(f"\nReport: {paths.shown(Path(paths.resolve(options.reports)) / 'validation_report.html')}")


def _refuse_ignored(typed: list[str], first: str) -> None:
    """Refuse options that a run which is gone on with has settled already."""
    settled = dict.fromkeys(
        ("source", "engine", "max_quarantined", "memory_limit", "threads", "spark_settings", "max_dollars"), "02"
    ) | {"policy": "03"}
    if ignored := [f"--{name.replace('_', '-')}" for name in typed if first > settled.get(name, first)]:
        raise BadInput(f"{', '.join(ignored)} cannot be changed with --from {first}. Leave it out, or start earlier.")


def sample(given: argparse.Namespace) -> None:
    """Generate a sample."""
    from stedi.sample import generate

    written = generate.generate(given.out, given.scale, given.seed)
    lines = sum(written["rows"]["course"][table.name] for table in tables.LANDING)
    print(f"Wrote {lines:,} lines of synthetic landing JSON to {given.out}.")


def report(given: argparse.Namespace) -> None:
    """Render a report again."""
    from stedi import report
    from stedi.results import store
    from stedi.runs import provision

    results = store.of_run(provision.existing(_place(given, "lakehouse")), given.run)
    path = report.write(results, _place(given, "reports"), _place(given, "screenshots"))
    print(f"Report of run {results.run.id}: {path}")


def audit(given: argparse.Namespace) -> None:
    """Audit what is published."""
    from stedi.runs.run import Run

    _end_quietly()
    run = Run.look(_place(given, "lakehouse"))
    audit = run.audit()
    path = run.report(_place(given, "reports"), _place(given, "screenshots"))
    print(f"Run {run.id}, policy {run.policy}: {len(audit.checks)} checks. Report: {path}")
    audit.require()


def evidence(given: argparse.Namespace) -> None:
    """Collect a submission."""
    from stedi.course import submission

    written = submission.collect(_place(given, "out"), _place(given, "reports"), _place(given, "screenshots"))
    print(f"Wrote {len(written)} files to {given.out}; begin with {submission.INDEX}.")


def query(given: argparse.Namespace) -> None:
    """Print the result of a select."""
    import pandas as pd

    from stedi.runs.lakehouse import Lakehouse
    from stedi.runs.run import Run

    place = _place(given, "lakehouse")
    if given.run or given.row_keys:
        frame = Run.look(place, given.run or "").in_clear(given.sql, given.row_keys)
    else:
        frame = Lakehouse(place).query(given.sql)
    with pd.option_context("display.max_rows", None, "display.max_columns", None, "display.width", None):
        print(frame.to_string(index=False))


def status(given: argparse.Namespace) -> None:
    """Print what is there."""
    from stedi.runs import provision
    from stedi.runs.lakehouse import Lakehouse
    from stedi.storage import catalog, erasures

    place = _place(given, "lakehouse")
    lake = provision.existing(place)
    print(f"Open runs: {', '.join(provision.open_runs(lake)) or 'none'}.")
    if waiting := erasures.pending(lake):
        print(f"Erasures that are pending: {', '.join(waiting)}. Complete them: stedi forget")
    print(Lakehouse(place).status() if catalog.load(lake) else "Nothing is published.")


def _end_quietly() -> None:
    """DuckDB lists leaks of its own when a process ends in which Great Expectations used it: nobody can act on that."""
    atexit.register(os.dup2, os.open(os.devnull, os.O_WRONLY), 2)


def forget(given: argparse.Namespace) -> None:
    """Erase people, or show what is held of them."""
    from stedi.erasure import erase, receipt, subject_access

    emails = erase.addresses(given.email, given.emails)
    place = _place(given, "lakehouse")
    if given.dry_run:
        for email in emails:
            print(subject_access.describe(email, subject_access.data_held(place, email)))
        return
    _end_quietly()
    receipts = erase.forget(place, emails, _place(given, "reports"), _place(given, "screenshots"), runner.say)
    print("\n".join(receipt.summary(each) for each in receipts))


def rotate_key(given: argparse.Namespace) -> None:
    """Replace the key of the pseudonyms."""
    from stedi.runs import rebuild

    place = _place(given, "lakehouse")
    _end_quietly()
    run = rebuild.under_new_key(place, _place(given, "reports"), _place(given, "screenshots"))
    print("The key was replaced. What was made with the old one cannot be linked to what comes now.")
    print(
        f"Published again as run {run.id}." if run else "Nothing published holds pseudonyms, so nothing else changed."
    )


def delete(given: argparse.Namespace) -> None:
    """Delete a lakehouse, after asking."""
    import tempfile

    from stedi.notebook_runner import kernels
    from stedi.notebook_runner.execute import execute
    from stedi.runs import provision
    from stedi.storage import layout

    place = _place(given, "lakehouse")
    lake = provision.existing(place)
    if erased := len(lake.files(layout.ERASURES)):
        print(f"{erased} erasures go with it: the same source would bring these people back into a new lakehouse.")
    if not given.yes:
        print("\n".join(f"  {path}" for path in provision.owned(lake)))
        if not sys.stdin.isatty():
            raise BadInput("Nothing was deleted: nobody is there to ask. Add --yes.")
        if _answer(f"Delete these from {place}? [y/N] ") not in ("y", "yes"):
            print("Nothing was deleted.")
            return
    with tempfile.TemporaryDirectory() as folder, kernels.started((DELETE,), str(paths.NOTEBOOKS)) as running:
        parameters = {"lakehouse": place, "confirm": True}
        execute(DELETE, parameters, Path(folder) / "06.ipynb", running)
    left = f"Deleted what runs made in {place}. The folder stays, for it holds something else."
    print(left if lake.exists() else f"Deleted {place}.")


def compare(given: argparse.Namespace) -> int:
    """Print how two lakehouses differ. Returns 1 where they do."""
    from stedi.runs import lakehouse_comparison

    found = lakehouse_comparison.compare(_typed(given.one), _typed(given.other))
    print(lakehouse_comparison.text(found))
    return int(any(not each.same for each in found))


def iam_policy(given: argparse.Namespace) -> None:
    """Print the policy that a run on a lakehouse needs on AWS, with the account and region filled in."""
    import json

    from stedi.aws import provision
    from stedi.aws.iam_policy import policy
    from stedi.storage.aws_client import client

    lakehouse = _place(given, "lakehouse")
    if not lakehouse.startswith("s3://"):
        raise BadInput(
            f"The lakehouse {lakehouse} is a folder, which needs no permissions. Give --lakehouse s3://bucket."
        )
    account = given.account or provision.account()
    region = given.region or client("s3").meta.region_name
    print(json.dumps(policy(lakehouse, region, account, given.source or ""), indent=2))


def _cost(lakehouse: str) -> str:
    """What the published run cost at Athena, in a line."""
    from stedi.runs import provision
    from stedi.storage import catalog
    from stedi.storage.record import RunRecord

    lake = provision.folder(lakehouse)
    spent = RunRecord.require_published(lake, catalog.load(lake).run_id).aws
    return f"Athena: {spent.queries} queries scanned {spent.bytes_scanned:,} bytes, about ${spent.dollars:.4f}."


def _answer(question: str) -> str:
    try:
        return input(question).strip().lower()
    except EOFError:  # Ctrl-D
        return ""
