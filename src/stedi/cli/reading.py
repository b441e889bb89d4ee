"""Commands that show or write out what is there, and change nothing in a lakehouse."""

import json
import sys
from pathlib import Path

import click

from stedi.cli import command
from stedi.cli.command import Command, table_option, with_lakehouse, with_out, with_report_folders
from stedi.contract import paths, tables
from stedi.contract.errors import BadInput
from stedi.contract.policies import POLICIES


@click.command(cls=Command)
@click.argument("source", default="")
@table_option("--customers", "of customer_landing")
@table_option("--accelerometer", "of accelerometer_landing")
@table_option("--step-trainer", "of step_trainer_landing")
@click.option("--json", "as_json", is_flag=True, help="as JSON, for machines")
def inspect(source: str, as_json: bool, **own: str) -> None:
    """Read a source without landing it, and say what a run would end with.

    SOURCE is a folder or an s3:// prefix with the landing JSON. The exit code is 0 also where a run would fail.
    """
    from stedi.report import inspection
    from stedi.runs.inspect import inspect

    command.silence_stderr_at_exit()
    found = inspect(source, tables.sources(own))
    print(found.encode() if as_json else inspection.text(found))


@click.command(cls=Command)
@with_report_folders
@with_lakehouse
@click.option("--run", "run_id", default="", metavar="R", help="which run (default: the last one that was published)")
def report(reports: str, screenshots: str, lakehouse: str, run_id: str) -> None:
    """Render the report of a published run again."""
    from stedi import report
    from stedi.results import store
    from stedi.runs import provision

    results = store.of_run(provision.existing(lakehouse), run_id)
    path = report.write(results, reports, screenshots)
    print(f"Report of run {results.run.id}: {path}")


@click.command(cls=Command)
@with_report_folders
@with_lakehouse
def audit(reports: str, screenshots: str, lakehouse: str) -> None:
    """Check what is published again, without building."""
    from stedi.runs.run import Run

    command.silence_stderr_at_exit()
    run = Run.look(lakehouse)
    audit = run.audit()
    path = run.report(reports, screenshots)
    print(f"Run {run.id}, policy {run.policy}: {len(audit.checks)} checks. Report: {path}")
    audit.require()


@click.command(cls=Command)
@with_report_folders
@with_out
def evidence(reports: str, screenshots: str, out: str) -> None:
    """Collect what a submission of the course is checked for."""
    from stedi.course import submission

    written = submission.collect(out, reports, screenshots)
    print(f"Wrote {len(written)} files to {out}; begin with {submission.INDEX}.")


@click.command(cls=Command)
@with_out
@click.option("--policy", type=click.Choice(list(POLICIES)), help="only those of this policy (default: of all)")
def suites(out: str, policy: str | None) -> None:
    """Write the suites whole, as plain Great Expectations JSON."""
    from stedi.contract.suites import write_full

    written = write_full(Path(paths.resolve(out)), policy)
    print(f"Wrote {len(written)} suites to {out}. To run them in a context of your own: docs/expectations.md")


@click.command(cls=Command)
@with_lakehouse
@click.argument("sql")
@click.option("--run", "run_id", metavar="R", help="over the tables of this run, published or not")
@click.option("--row-keys", is_flag=True, help="with the keys by which a report names rows")
def query(lakehouse: str, sql: str, run_id: str | None, row_keys: bool) -> None:
    """Run a select over the published tables.

    SQL is in Athena's dialect, e.g. 'select count(*) from customer_trusted'.
    """
    import pandas as pd

    from stedi.runs.lakehouse import Lakehouse
    from stedi.runs.run import Run

    if run_id or row_keys:
        frame = Run.look(lakehouse, run_id or "").in_clear(sql, row_keys)
    else:
        frame = Lakehouse(lakehouse).query(sql)
    with pd.option_context("display.max_rows", None, "display.max_columns", None, "display.width", None):
        print(f"No rows of {', '.join(map(str, frame))}." if frame.empty else frame.to_string(index=False))


@click.command(cls=Command)
@with_lakehouse
def status(lakehouse: str) -> None:
    """What is published, which runs are open, which erasures are pending."""
    from stedi.runs import provision
    from stedi.runs.lakehouse import Lakehouse
    from stedi.storage import catalog, erasures

    lake = provision.existing(lakehouse)
    print(f"Open runs: {', '.join(provision.open_runs(lake)) or 'none'}.")
    if waiting := erasures.pending(lake):
        print(f"Erasures that are pending: {', '.join(waiting)}. Complete them: stedi forget")
    if catalog.load(lake):
        print(Lakehouse(lakehouse).status())
    else:
        print(f"Nothing is published. Build it first: {provision.build_command(lakehouse)}")


@click.command(cls=Command)
@click.argument("one", metavar="L1")
@click.argument("other", metavar="L2")
def compare(one: str, other: str) -> None:
    """Compare two lakehouses, table by table.

    Each is a folder or an s3:// prefix. The exit code is 1 where they differ.
    """
    from stedi.runs import lakehouse_comparison

    compared = lakehouse_comparison.compare(one, other)
    print(lakehouse_comparison.text(compared))
    if not all(table.same for table in compared):
        sys.exit(1)


@click.command(cls=Command)
@click.option("--source", metavar="S", help="folder or s3:// prefix with the landing JSON")
@with_lakehouse
@click.option("--account", metavar="A", help="number of the account (default: that of the credentials)")
@click.option("--region", metavar="R", help="region (default: that of the environment)")
def iam_policy(source: str | None, lakehouse: str, account: str | None, region: str | None) -> None:
    """Print the permissions on AWS that a run needs."""
    from stedi.aws import resources
    from stedi.aws.iam_policy import policy

    if not paths.is_on_s3(lakehouse):
        raise BadInput(
            f"The lakehouse {lakehouse} is a folder, which needs no permissions. Give --lakehouse s3://bucket."
        )
    account = account or resources.account()
    region = region or resources.region()
    print(json.dumps(policy(lakehouse, region, account, source or ""), indent=2))
