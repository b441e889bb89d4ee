"""What the commands have in common: how errors are told, and the options that several of them take."""

import atexit
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from stedi.notebook_runner.options import Options
from stedi.privacy.error_text import as_stedi_error, traceback_without_values


class Command(click.Command):
    """A command that an error ends with one message and its exit code, and with the traceback where `-v` asks for it.

    Its help is the docstring of its function.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.short_help = (self.help or "").partition(".\n")[0].rstrip(".")  # click would cut it
        self.params.append(click.Option(["-v", "--verbose"], is_flag=True, help="show the traceback of an error"))

    def invoke(self, ctx: click.Context) -> None:
        """Do what the command does."""
        verbose = ctx.params.pop("verbose")
        try:
            super().invoke(ctx)
        except click.exceptions.Exit:
            raise
        except BrokenPipeError:  # e.g. `stedi query … | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (KeyboardInterrupt, Exception) as error:
            if verbose:
                print(traceback_without_values(error), file=sys.stderr)
            problem = as_stedi_error(error)
            print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
            ctx.exit(problem.exit_code)


def run_option(name: str, help: str, **settings: Any) -> Callable:
    """An option of `Options`, with its default."""
    default = getattr(Options, name.lstrip("-").replace("-", "_"))
    return click.option(name, help=help, **{"default": default, "show_default": default is not False} | settings)


def table_option(name: str, whose: str) -> Callable:
    """An option for the place of one landing table."""
    return run_option(name, f"file, folder or s3:// prefix {whose}", metavar="S", show_default="in the source")


with_lakehouse = run_option("--lakehouse", "folder for the tables, or s3:// prefix", metavar="L")
with_out = click.option("--out", required=True, metavar="DIR", help="folder to write to")


def with_report_folders(function: Callable) -> Callable:
    """Add the options for the folders that a report is written to."""
    screenshots = run_option("--screenshots", "folder for the pictures", metavar="DIR")
    return run_option("--reports", "folder for the report and the executed notebooks", metavar="DIR")(
        screenshots(function)
    )


def silence_stderr_at_exit() -> None:
    """Hide the list of leaks that DuckDB prints at the end of a process in which Great Expectations used it."""
    atexit.register(os.dup2, os.open(os.devnull, os.O_WRONLY), 2)
