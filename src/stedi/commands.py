"""What each command does, with its options as they were typed. `cli.py` reads them."""

import argparse
import atexit
import os
import sys
from dataclasses import fields
from pathlib import Path

from stedi import pipeline, project, tables
from stedi.errors import BadInput
from stedi.pipeline import Options

PLACES = ("source", "lakehouse", "reports", "screenshots")


def _place(given: argparse.Namespace, name: str) -> str:
    """A place as notebooks take it: what a user types is relative to where they are, a default to the project."""
    typed = getattr(given, name)
    return getattr(Options, name) if typed is None else _typed(typed)


def _typed(typed: str) -> str:
    """A place as notebooks take it, relative to where the user is."""
    return typed if typed.startswith("s3://") else project.shown(Path(typed).expanduser().absolute())


def run(given: argparse.Namespace) -> None:
    """Run the notebooks, or say what that would do."""
    typed = [option.name for option in fields(Options) if getattr(given, option.name) is not None]
    pipeline.steps_from(given.first)
    _refuse_ignored(typed, given.first)
    options = Options(**{name: getattr(given, name) for name in typed} | {name: _place(given, name) for name in PLACES})
    if given.dry_run:
        from stedi import plan

        print(plan.text(options))
        return
    from stedi.report import summary

    with summary.written(options.reports, given.summary):
        pipeline.run(options, given.first)
    from stedi.lakehouse import Lakehouse

    print(f"\n{Lakehouse(options.lakehouse).status()}")
    if options.lakehouse.startswith("s3://"):
        print(_cost(options.lakehouse))
    print(f"\nReport: {project.shown(Path(project.resolve(options.reports)) / 'validation_report.html')}")


def _refuse_ignored(typed: list[str], first: str) -> None:
    """Refuse options that a run which is gone on with has settled already."""
    settled = dict.fromkeys(
        ("source", "engine", "max_quarantined", "memory_limit", "threads", "spark_settings", "max_dollars"), "02"
    ) | {"policy": "03"}
    if ignored := [f"--{name.replace('_', '-')}" for name in typed if first > settled.get(name, first)]:
        raise BadInput(f"{', '.join(ignored)} cannot be changed with --from {first}. Leave it out, or start earlier.")


def sample(given: argparse.Namespace) -> None:
    """Generate a sample."""
    from stedi import sample

    written = sample.generate(given.out, given.scale, given.seed)
    lines = sum(written["rows"]["course"][table.name] for table in tables.LANDING)
    print(f"Wrote {lines:,} lines of synthetic landing JSON to {given.out}.")


def report(given: argparse.Namespace) -> None:
    """Render a report again."""
    from stedi import report, resources

    results = report.stored(resources.existing(_place(given, "lakehouse")), given.run)
    path = report.write(results, _place(given, "reports"), _place(given, "screenshots"), remember=False)
    print(f"Report of run {results['run']['id']}: {path}")


def audit(given: argparse.Namespace) -> None:
    """Audit what is published."""
    from stedi.run import Run

    _end_quietly()
    run = Run.look(_place(given, "lakehouse"))
    audit = run.audit()
    path = run.report(_place(given, "reports"), _place(given, "screenshots"))
    print(f"Run {run.id}, policy {run.policy}: {len(audit.checks)} checks. Report: {path}")
    audit.require()


def evidence(given: argparse.Namespace) -> None:
    """Collect a submission."""
    from stedi.report import submission

    written = submission.collect(_place(given, "out"), _place(given, "reports"), _place(given, "screenshots"))
    print(f"Wrote {len(written)} files to {given.out}; begin with {submission.INDEX}.")


def query(given: argparse.Namespace) -> None:
    """Print the result of a select."""
    import pandas as pd

    from stedi.lakehouse import Lakehouse
    from stedi.run import Run

    place = _place(given, "lakehouse")
    if given.run or given.row_keys:
        frame = Run.look(place, given.run or "").in_clear(given.sql, given.row_keys)
    else:
        frame = Lakehouse(place).query(given.sql)
    with pd.option_context("display.max_rows", None, "display.max_columns", None, "display.width", None):
        print(frame.to_string(index=False))


def status(given: argparse.Namespace) -> None:
    """Print what is there."""
    from stedi import catalog, resources
    from stedi.erasure import forget
    from stedi.lakehouse import Lakehouse

    place = _place(given, "lakehouse")
    lake = resources.existing(place)
    print(f"Open runs: {', '.join(resources.open_runs(lake)) or 'none'}.")
    if waiting := forget.pending(lake):
        print(f"Erasures that are pending: {', '.join(waiting)}. Complete them: stedi forget")
    print(Lakehouse(place).status() if catalog.load(lake) else "Nothing is published.")


def _end_quietly() -> None:
    """DuckDB lists leaks of its own when a process ends in which Great Expectations used it: nobody can act on that."""
    atexit.register(os.dup2, os.open(os.devnull, os.O_WRONLY), 2)


def forget(given: argparse.Namespace) -> None:
    """Erase people, or show what is held of them."""
    from stedi.erasure import forget, holdings

    emails = forget.addresses(given.email, given.emails)
    place = _place(given, "lakehouse")
    if given.dry_run:
        for email in emails:
            print(holdings.describe(email, holdings.held(place, email)))
        return
    _end_quietly()
    receipts = forget.forget(place, emails, _place(given, "reports"), _place(given, "screenshots"), pipeline.say)
    print("\n".join(forget.summary(each) for each in receipts))


def rotate_key(given: argparse.Namespace) -> None:
    """Replace the key of the pseudonyms."""
    from stedi import republish

    place = _place(given, "lakehouse")
    _end_quietly()
    run = republish.under_new_key(place, _place(given, "reports"), _place(given, "screenshots"))
    print("The key was replaced. What was made with the old one cannot be linked to what comes now.")
    print(
        f"Published again as run {run.id}." if run else "Nothing published holds pseudonyms, so nothing else changed."
    )


def delete(given: argparse.Namespace) -> None:
    """Delete a lakehouse, after asking."""
    import tempfile

    from stedi import kernels, resources
    from stedi.erasure import tombstones

    place = _place(given, "lakehouse")
    lake = resources.existing(place)
    if erased := len(lake.files(tombstones.FOLDER)):
        print(f"{erased} erasures go with it: the same source would bring these people back into a new lakehouse.")
    if not given.yes:
        print("\n".join(f"  {path}" for path in resources.owned(lake)))
        if not sys.stdin.isatty():
            raise BadInput("Nothing was deleted: nobody is there to ask. Add --yes.")
        if _answer(f"Delete these from {place}? [y/N] ") not in ("y", "yes"):
            print("Nothing was deleted.")
            return
    with tempfile.TemporaryDirectory() as folder, kernels.started((pipeline.DELETE,), str(project.NOTEBOOKS)) as ready:
        parameters = {"lakehouse": place, "confirm": True}
        pipeline.execute(pipeline.DELETE, parameters, Path(folder) / "06.ipynb", ready[pipeline.DELETE])
    left = f"Deleted what runs made in {place}. The folder stays, for it holds something else."
    print(left if lake.exists() else f"Deleted {place}.")


def compare(given: argparse.Namespace) -> int:
    """Print how two lakehouses differ. Returns 1 where they do."""
    from stedi import compare

    found = compare.compare(_typed(given.one), _typed(given.other))
    print(compare.text(found))
    return int(any(not each.same for each in found))


def iam_policy(given: argparse.Namespace) -> None:
    """Print the policy that a run on a lakehouse needs on AWS, with the account and region filled in."""
    import json

    from stedi.aws import resources
    from stedi.aws.calls import client
    from stedi.aws.permissions import policy

    lakehouse = _place(given, "lakehouse")
    if not lakehouse.startswith("s3://"):
        raise BadInput(
            f"The lakehouse {lakehouse} is a folder, which needs no permissions. Give --lakehouse s3://bucket."
        )
    account = given.account or resources.account()
    region = given.region or client("s3").meta.region_name
    print(json.dumps(policy(lakehouse, region, account, given.source or ""), indent=2))


def _cost(lakehouse: str) -> str:
    """What the published run cost at Athena, in a line."""
    from stedi import catalog, resources

    lake = resources.folder(lakehouse)
    spent = lake.read_json(f"runs/{catalog.load(lake).run_id}/run.json")["aws"]
    return (
        f"Athena: {spent['queries']} queries scanned {spent['bytes_scanned']:,} bytes, about ${spent['dollars']:.4f}."
    )


def _answer(question: str) -> str:
    try:
        return input(question).strip().lower()
    except EOFError:  # Ctrl-D
        return ""
