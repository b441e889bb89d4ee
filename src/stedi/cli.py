"""The command line: `stedi COMMAND`; `stedi --help` lists the commands."""

import argparse
import atexit
import os
import sys
from dataclasses import fields
from pathlib import Path

from stedi import pipeline, privacy, project, tables
from stedi.engines import ENGINES
from stedi.errors import BadInput
from stedi.pipeline import Options
from stedi.policies import POLICIES

_HELP = {
    "source": "folder or s3:// prefix with the landing JSON (default: the sample, generated on first use)",
    "lakehouse": "folder for the tables, or s3:// prefix",
    "reports": "folder for the report and the executed notebooks",
    "screenshots": "folder for the pictures",
    "policy": "whose rules",
    "engine": "who runs the SQL",
    "max_quarantined": "so many unusable lines are allowed",
    "max_dollars": "on AWS: stop before the query that would pass it",
    "compare_policies": "count all policies side by side also above a million rows of landing",
    "memory_limit": "memory of an engine, as in 2GB",
    "threads": "processors of an engine",
    "full": "do it all, though nothing has changed since the published run",
    "spark_settings": "settings of the Spark session: spark.name=value, with commas between",
}
_METAVARS = {
    "source": "S", "lakehouse": "L", "max_quarantined": "N", "memory_limit": "SIZE", "threads": "N",
    "spark_settings": "K=V", "max_dollars": "D",
}  # fmt: skip
_PLACES = ("source", "lakehouse", "reports", "screenshots")
_CHOICES = {"policy": lambda: list(POLICIES), "engine": lambda: list(ENGINES)}


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 audit failed, 2 bad input or usage, 3 could not finish."""
    given = _parser().parse_args(arguments)
    try:
        return given.command(given) or 0
    except BrokenPipeError:  # e.g. `stedi query … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, Exception) as error:
        if given.verbose:
            print(privacy.trail(error), file=sys.stderr)
        problem = privacy.told(error)
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
        return problem.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stedi", description="The STEDI lakehouse, from landing JSON to training table."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = _command(commands, "run", _run, "build, audit and publish the eight tables, and write the report")
    for option in fields(Options):
        _option(run, option.name, type(option.default))
    run.add_argument("--summary", metavar="FILE", help="also write a summary in Markdown there; - for the terminal")
    run.add_argument("--dry-run", action="store_true", help="only say what would be created, run and deleted, and cost")
    run.add_argument("--from", dest="first", default="01", metavar="NN", help="go on with this notebook, e.g. 03")

    sample = _command(commands, "sample", _sample, "generate synthetic landing JSON with known counts")
    sample.add_argument("--out", required=True, metavar="DIR", help="folder to write to")
    sample.add_argument(
        "--scale", type=int, default=1, metavar="N", help="size, in units of the public data (default: 1)"
    )
    sample.add_argument("--seed", type=int, default=0, metavar="S", help="same seed, same bytes (default: 0)")

    report = _command(commands, "report", _report, "render the report of a published run again")
    report.add_argument("--run", default="", metavar="R", help="which run (default: the last one that was published)")
    audit = _command(commands, "audit", _audit, "check what is published again, without building")
    evidence = _command(commands, "evidence", _evidence, "collect what a submission of the course is checked for")
    evidence.add_argument("--out", required=True, metavar="DIR", help="folder to write to")

    query = _command(commands, "query", _query, "run a select over the published tables")
    query.add_argument("sql", help="in Athena's dialect, e.g. 'select count(*) from customer_trusted'")
    query.add_argument("--run", metavar="R", help="over the tables of this run, published or not")
    query.add_argument("--row-keys", action="store_true", help="with the keys by which a report names rows")
    status = _command(commands, "status", _status, "what is published, which runs are open, which erasures are pending")
    forget = _command(commands, "forget", _forget, "erase people from the lakehouse, for good, and write a receipt")
    forget.add_argument("--email", action="append", default=[], metavar="E", help="whom; may be given several times")
    forget.add_argument("--emails", metavar="FILE", help="a file with one address a line")
    forget.add_argument("--dry-run", action="store_true", help="only show what is held of them, in clear")
    rotate = _command(
        commands, "rotate-key", _rotate, "replace the key of the pseudonyms, and publish under the new one"
    )
    delete = _command(commands, "delete", _delete, "delete a lakehouse: what runs made in it, and nothing else")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    compare = _command(commands, "compare", _compare, "compare two lakehouses, table by table")
    compare.add_argument("one", metavar="L1", help="folder or s3:// prefix of a lakehouse")
    compare.add_argument("other", metavar="L2", help="another one")
    iam = _command(commands, "iam-policy", _iam_policy, "print the permissions on AWS that a run needs")
    _option(iam, "source", str)
    iam.add_argument("--account", metavar="A", help="number of the account (default: that of the credentials)")
    iam.add_argument("--region", metavar="R", help="region (default: that of the environment)")
    for command in (report, audit, query, status, forget, rotate, delete, iam):
        _option(command, "lakehouse", str)
    for command in (report, audit, evidence, forget, rotate):
        _option(command, "reports", str)
        _option(command, "screenshots", str)
    return parser


def _command(commands, name: str, function, text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(command=function)
    command.add_argument("-v", "--verbose", action="store_true", help="show the traceback of an error")
    return command


def _option(command: argparse.ArgumentParser, name: str, kind: type) -> None:
    """An option of `Options`; None where it is not typed, for then its default is meant."""
    choices = _CHOICES[name]() if name in _CHOICES else None
    if kind is bool:
        command.add_argument(f"--{name.replace('_', '-')}", action="store_true", default=None, help=_HELP[name])
        return
    default = f"{getattr(Options, name)} of the project" if name in _PLACES else getattr(Options, name)
    default = {"memory_limit": "half of the machine's", "threads": "all", "spark_settings": "none"}.get(name, default)
    text = _HELP[name] if name == "source" else f"{_HELP[name]} (default: {default})"
    command.add_argument(
        f"--{name.replace('_', '-')}", type=kind, choices=choices, help=text,
        metavar=None if choices else _METAVARS.get(name, "DIR"),
    )  # fmt: skip


def _place(given: argparse.Namespace, name: str) -> str:
    """A place as notebooks take it: what a user types is relative to where they are, a default to the project."""
    typed = getattr(given, name)
    return getattr(Options, name) if typed is None else _typed(typed)


def _typed(typed: str) -> str:
    """A place as notebooks take it, relative to where the user is."""
    return typed if typed.startswith("s3://") else project.shown(Path(typed).expanduser().absolute())


def _run(given: argparse.Namespace) -> None:
    typed = [option.name for option in fields(Options) if getattr(given, option.name) is not None]
    pipeline.steps_from(given.first)
    _refuse_ignored(typed, given.first)
    options = Options(
        **{name: getattr(given, name) for name in typed} | {name: _place(given, name) for name in _PLACES}
    )
    if given.dry_run:
        from stedi import plan

        print(plan.text(options))
        return
    from stedi.report import summary

    with summary.written(options.reports, given.summary):
        pipeline.run(options, given.first)
    from stedi.lakehouse import Lakehouse

    print(f"\n{Lakehouse(options.lakehouse).status()}")
    print(f"\nReport: {project.shown(Path(project.resolve(options.reports)) / 'validation_report.html')}")


def _refuse_ignored(typed: list[str], first: str) -> None:
    """Refuse options that a run which is gone on with has settled already."""
    settled = dict.fromkeys(
        ("source", "engine", "max_quarantined", "memory_limit", "threads", "spark_settings", "max_dollars"), "02"
    ) | {"policy": "03"}
    if ignored := [f"--{name.replace('_', '-')}" for name in typed if first > settled.get(name, first)]:
        raise BadInput(f"{', '.join(ignored)} cannot be changed with --from {first}. Leave it out, or start earlier.")


def _sample(given: argparse.Namespace) -> None:
    from stedi import sample

    written = sample.generate(given.out, given.scale, given.seed)
    lines = sum(written["rows"]["course"][table.name] for table in tables.LANDING)
    print(f"Wrote {lines:,} lines of synthetic landing JSON to {given.out}.")


def _report(given: argparse.Namespace) -> None:
    from stedi import report, resources

    results = report.stored(resources.existing(_place(given, "lakehouse")), given.run)
    path = report.write(results, _place(given, "reports"), _place(given, "screenshots"), remember=False)
    print(f"Report of run {results['run']['id']}: {path}")


def _audit(given: argparse.Namespace) -> None:
    from stedi.run import Run

    _end_quietly()
    run = Run.look(_place(given, "lakehouse"))
    audit = run.audit()
    path = run.report(_place(given, "reports"), _place(given, "screenshots"))
    print(f"Run {run.id}, policy {run.policy}: {len(audit.checks)} checks. Report: {path}")
    audit.require()


def _evidence(given: argparse.Namespace) -> None:
    from stedi.report import submission

    written = submission.collect(_place(given, "out"), _place(given, "reports"), _place(given, "screenshots"))
    print(f"Wrote {len(written)} files to {given.out}; begin with {submission.INDEX}.")


def _query(given: argparse.Namespace) -> None:
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


def _status(given: argparse.Namespace) -> None:
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


def _forget(given: argparse.Namespace) -> None:
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


def _rotate(given: argparse.Namespace) -> None:
    from stedi import republish

    place = _place(given, "lakehouse")
    _end_quietly()
    run = republish.under_new_key(place, _place(given, "reports"), _place(given, "screenshots"))
    print("The key was replaced. What was made with the old one cannot be linked to what comes now.")
    print(
        f"Published again as run {run.id}." if run else "Nothing published holds pseudonyms, so nothing else changed."
    )


def _delete(given: argparse.Namespace) -> None:
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


def _compare(given: argparse.Namespace) -> int:
    from stedi import compare

    found = compare.compare(_typed(given.one), _typed(given.other))
    print(compare.text(found))
    return int(any(not each.same for each in found))


def _iam_policy(given: argparse.Namespace) -> None:
    from stedi.aws import commands

    commands.iam_policy(_place(given, "lakehouse"), given)


def _answer(question: str) -> str:
    try:
        return input(question).strip().lower()
    except EOFError:  # Ctrl-D
        return ""


if __name__ == "__main__":
    sys.exit(main())
