"""The command line: `stedi COMMAND`; `stedi --help` lists the commands."""

import argparse
import os
import sys
from dataclasses import fields

from stedi.cli import commands
from stedi.cli.commands import PLACES
from stedi.contract.policies import POLICIES
from stedi.engines import ENGINES
from stedi.notebook_runner.runner import Options
from stedi.privacy import masking

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
_WRITTEN = ("reports", "screenshots")
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
            print(masking.trail(error), file=sys.stderr)
        problem = masking.told(error)
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
        return problem.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stedi", description="The STEDI lakehouse, from landing JSON to training table."
    )
    names = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _for_building(names)
    _for_showing(names)
    _for_asking(names)
    _for_people(names)
    _for_places(names)
    return parser


def _for_building(names) -> None:
    run = _command(names, "run", "build, audit and publish the eight tables, and write the report")
    for option in fields(Options):
        _option(run, option.name, type(option.default))
    run.add_argument("--summary", metavar="FILE", help="also write a summary in Markdown there; - for the terminal")
    run.add_argument("--dry-run", action="store_true", help="only say what would be created, run and deleted, and cost")
    run.add_argument("--from", dest="first", default="01", metavar="NN", help="go on with this notebook, e.g. 03")

    sample = _command(names, "sample", "generate synthetic landing JSON with known counts")
    sample.add_argument("--out", required=True, metavar="DIR", help="folder to write to")
    sample.add_argument(
        "--scale", type=int, default=1, metavar="N", help="size, in units of the public data (default: 1)"
    )
    sample.add_argument("--seed", type=int, default=0, metavar="S", help="same seed, same bytes (default: 0)")


def _for_showing(names) -> None:
    report = _command(names, "report", "render the report of a published run again", *_WRITTEN, "lakehouse")
    report.add_argument("--run", default="", metavar="R", help="which run (default: the last one that was published)")
    _command(names, "audit", "check what is published again, without building", *_WRITTEN, "lakehouse")
    evidence = _command(names, "evidence", "collect what a submission of the course is checked for", *_WRITTEN)
    evidence.add_argument("--out", required=True, metavar="DIR", help="folder to write to")


def _for_asking(names) -> None:
    query = _command(names, "query", "run a select over the published tables", "lakehouse")
    query.add_argument("sql", help="in Athena's dialect, e.g. 'select count(*) from customer_trusted'")
    query.add_argument("--run", metavar="R", help="over the tables of this run, published or not")
    query.add_argument("--row-keys", action="store_true", help="with the keys by which a report names rows")
    _command(names, "status", "what is published, which runs are open, which erasures are pending", "lakehouse")
    compare = _command(names, "compare", "compare two lakehouses, table by table")
    compare.add_argument("one", metavar="L1", help="folder or s3:// prefix of a lakehouse")
    compare.add_argument("other", metavar="L2", help="another one")


def _for_people(names) -> None:
    text = "erase people from the lakehouse, for good, and write a receipt"
    forget = _command(names, "forget", text, *_WRITTEN, "lakehouse")
    forget.add_argument("--email", action="append", default=[], metavar="E", help="whom; may be given several times")
    forget.add_argument("--emails", metavar="FILE", help="a file with one address a line")
    forget.add_argument("--dry-run", action="store_true", help="only show what is held of them, in clear")
    text = "replace the key of the pseudonyms, and publish under the new one"
    _command(names, "rotate-key", text, *_WRITTEN, "lakehouse")


def _for_places(names) -> None:
    delete = _command(names, "delete", "delete a lakehouse: what runs made in it, and nothing else", "lakehouse")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    iam = _command(names, "iam-policy", "print the permissions on AWS that a run needs", "source", "lakehouse")
    iam.add_argument("--account", metavar="A", help="number of the account (default: that of the credentials)")
    iam.add_argument("--region", metavar="R", help="region (default: that of the environment)")


def _command(names, name: str, text: str, *options: str) -> argparse.ArgumentParser:
    """A command, done by the function of that name in `commands.py`."""
    command = names.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(command=getattr(commands, name.replace("-", "_")))
    command.add_argument("-v", "--verbose", action="store_true", help="show the traceback of an error")
    for option in options:
        _option(command, option, str)
    return command


def _option(command: argparse.ArgumentParser, name: str, kind: type) -> None:
    """An option of `Options`; None where it is not typed, for then its default is meant."""
    choices = _CHOICES[name]() if name in _CHOICES else None
    if kind is bool:
        command.add_argument(f"--{name.replace('_', '-')}", action="store_true", default=None, help=_HELP[name])
        return
    default = f"{getattr(Options, name)} of the project" if name in PLACES else getattr(Options, name)
    default = {"memory_limit": "half of the machine's", "threads": "all", "spark_settings": "none"}.get(name, default)
    text = _HELP[name] if name == "source" else f"{_HELP[name]} (default: {default})"
    command.add_argument(
        f"--{name.replace('_', '-')}", type=kind, choices=choices, help=text,
        metavar=None if choices else _METAVARS.get(name, "DIR"),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
