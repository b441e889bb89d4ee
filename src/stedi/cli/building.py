"""Commands that build: `run` and `sample`."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from stedi.cli.command import Command, run_option, table_option, with_lakehouse, with_out, with_report_folders
from stedi.contract import paths, tables
from stedi.contract.errors import BadInput
from stedi.contract.policies import POLICIES
from stedi.engines import ENGINES
from stedi.notebook_runner import runner
from stedi.notebook_runner.options import Options

# The notebook up to which an option can still be changed; the other options hold for every notebook.
_SETTLED_BY = dict.fromkeys(
    (
        "source",
        "customers",
        "accelerometer",
        "step_trainer",
        "engine",
        "max_quarantined",
        "memory_limit",
        "threads",
        "spark_settings",
        "max_dollars",
    ),
    "02",
) | {"policy": "03"}


@click.command(cls=Command)
@click.option(
    "--source", default=Options.source, metavar="S",
    help="folder or s3:// prefix with the landing JSON (default: the sample, generated on first use)",
)  # fmt: skip
@table_option("--customers", "of customer_landing")
@table_option("--accelerometer", "of accelerometer_landing")
@table_option("--step-trainer", "of step_trainer_landing")
@with_lakehouse
@with_report_folders
@run_option("--policy", "whose rules", type=click.Choice(list(POLICIES)))
@run_option("--engine", "who runs the SQL", type=click.Choice(list(ENGINES)))
@run_option("--max-quarantined", "so many unusable records are allowed", metavar="N")
@run_option("--compare-policies", "count all policies side by side also above a million rows of landing", is_flag=True)
@run_option("--memory-limit", "memory of an engine, as in 2GB", metavar="SIZE", show_default="half of the machine's")
@run_option("--threads", "processors of an engine", metavar="N", show_default="all")
@run_option(
    "--spark-settings", "settings of the Spark session: spark.name=value, with commas between",
    metavar="K=V", show_default="none",
)  # fmt: skip
@run_option("--full", "do it all, though nothing has changed since the published run", is_flag=True)
@run_option("--max-dollars", "on AWS: stop before the query that would pass it", metavar="D")
@click.option("--summary", metavar="FILE", help="also write a summary in Markdown there; - for the terminal")
@click.option("--dry-run", is_flag=True, help="only say what would be created, run and deleted, and cost")
@click.option("--from", "first", default="01", metavar="NN", help="go on with this notebook, e.g. 03")
@click.pass_context
def run(context: click.Context, first: str, dry_run: bool, summary: str | None, **chosen: Any) -> None:
    """Build, audit and publish the eight tables, and write the report."""
    runner.steps_from(first)
    _refuse_settled(context, first)
    options = Options(**chosen)
    if dry_run:
        from stedi.notebook_runner import dry_run as plan

        print(plan.text(options))
        return
    from stedi.report.summary import summarize_after
    from stedi.results import store
    from stedi.runs.lakehouse import Lakehouse
    from stedi.runs.run import Run

    with summarize_after(options.reports, summary, store.of_reports):
        runner.run(options, first)
    print(f"\n{Lakehouse(options.lakehouse).status()}")
    if cost := Run.look(options.lakehouse).record.aws:
        print(f"Athena: {cost.queries} queries scanned {cost.bytes_scanned:,} bytes, about ${cost.dollars:.4f}.")
    print(f"\nReport: {paths.shown(Path(paths.resolve(options.reports)) / 'validation_report.html')}")


@click.command(cls=Command)
@with_out
@click.option("--scale", default=1, show_default=True, metavar="N", help="size, in units of the public data")
@click.option("--seed", default=0, show_default=True, metavar="S", help="same seed, same bytes")
def sample(out: str, scale: int, seed: int) -> None:
    """Generate synthetic landing JSON with known counts."""
    from stedi.sample import generate

    written = generate.generate(out, scale, seed)
    lines = sum(written["rows"]["course"][table.name] for table in tables.LANDING)
    print(f"Wrote {lines:,} lines of synthetic landing JSON to {out}.")


def _refuse_settled(context: click.Context, first: str) -> None:
    """Refuse options that were typed and that the run which is continued has settled already."""
    typed = [name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if ignored := [f"--{name.replace('_', '-')}" for name in typed if first > _SETTLED_BY.get(name, first)]:
        raise BadInput(f"{', '.join(ignored)} cannot be changed with --from {first}. Leave it out, or start earlier.")
