"""The command line: `stedi COMMAND`; `stedi --help` lists the commands."""

import click

import stedi
from stedi.cli.building import run, sample
from stedi.cli.changing import delete, forget, rotate_key
from stedi.cli.legibly import printed_legibly
from stedi.cli.reading import audit, compare, evidence, iam_policy, inspect, query, report, status, suites

COMMANDS = (
    *(run, sample, inspect, report, audit, evidence, suites, query, status, compare),
    *(forget, rotate_key, delete, iam_policy),
)


class Program(click.Group):
    """The commands, listed in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, not sorted."""
        return list(self.commands)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(stedi.__version__)
def program() -> None:
    """The STEDI lakehouse, from landing JSON to training table."""


for each in COMMANDS:
    program.add_command(each)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 audit failed, 2 bad input or usage, 3 could not finish."""
    with printed_legibly():
        try:
            program.main(arguments, "stedi")
        except SystemExit as ended:
            return int(ended.code or 0)
