"""Commands that change what is published or take it away: `forget`, `rotate-key` and `delete`."""

import json
import sys
import tempfile
from pathlib import Path

import click

from stedi.cli import command
from stedi.cli.command import Command, with_lakehouse, with_report_folders
from stedi.contract import paths
from stedi.contract.errors import BadInput


@click.command(cls=Command)
@with_report_folders
@with_lakehouse
@click.option("--email", "typed", multiple=True, metavar="E", help="whom; may be given several times")
@click.option("--emails", "file", metavar="FILE", help="a file with one address a line")
@click.option("--dry-run", is_flag=True, help="only show what is held of them, in clear")
@click.option("--out", metavar="FILE", help="with --dry-run: write all that is held, readings too, as JSON")
@click.option("--anyway", is_flag=True, help="set a tombstone also where nobody is found under an address")
def forget(
    reports: str, screenshots: str, lakehouse: str, typed: tuple[str, ...], file: str | None,
    dry_run: bool, out: str | None, anyway: bool,
) -> None:  # fmt: skip
    """Erase people from the lakehouse, for good, and write a receipt."""
    from stedi.erasure import erase, receipt, subject_access
    from stedi.notebook_runner.runner import say
    from stedi.storage import keys

    emails = erase.addresses(list(typed), file)
    if out and not dry_run:
        raise BadInput("--out is for what is held of somebody. Add --dry-run.")
    if dry_run:
        held = [subject_access.data_held(lakehouse, email, readings=bool(out)) for email in emails]
        if out:
            keys.write(
                Path(paths.resolve(out)), json.dumps(held, ensure_ascii=False, indent=2).encode("utf-8", "replace")
            )
        print("\n".join(map(subject_access.describe, emails, held)))
        return
    command.silence_stderr_at_exit()
    receipts = erase.forget(lakehouse, emails, reports, screenshots, say, anyway)
    print("\n".join(receipt.summary(each) for each in receipts))


@click.command(cls=Command)
@with_report_folders
@with_lakehouse
def rotate_key(reports: str, screenshots: str, lakehouse: str) -> None:
    """Replace the key of the pseudonyms, and publish under the new one."""
    from stedi.runs import rebuild

    command.silence_stderr_at_exit()
    run = rebuild.under_new_key(lakehouse, reports, screenshots)
    print(
        "The key was replaced. The old pseudonyms are not the new ones, but whoever has tables made with both "
        "can still link them by the times of the readings (docs/privacy.md)."
    )
    print(
        f"Published again as run {run.id}." if run else "Nothing published holds pseudonyms, so nothing else changed."
    )


@click.command(cls=Command)
@with_lakehouse
@click.option("--yes", is_flag=True, help="do not ask")
def delete(lakehouse: str, yes: bool) -> None:
    """Delete a lakehouse: what runs made in it, and nothing else."""
    from stedi.runs import provision
    from stedi.storage import layout

    lake = provision.existing(lakehouse)
    if erased := len(lake.files(layout.ERASURES)):
        print(f"{erased} erasures go with it: the same source would bring these people back into a new lakehouse.")
    if not yes and not _is_agreed(lakehouse, provision.owned(lake)):
        print("Nothing was deleted.")
        return
    _run_the_notebook(lakehouse)
    rest = f"Deleted what runs made in {lakehouse}. The folder stays, for it holds something else."
    print(rest if lake.exists() else f"Deleted {lakehouse}.")


def _is_agreed(lakehouse: str, owned: list[str]) -> bool:
    """Show what would be deleted, and ask. Raises BadInput where nobody can answer."""
    print("\n".join(f"  {path}" for path in owned))
    if not sys.stdin.isatty():
        raise BadInput("Nothing was deleted: nobody is there to ask. Add --yes.")
    try:
        return input(f"Delete these from {lakehouse}? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:  # Ctrl-D
        return False


def _run_the_notebook(lakehouse: str) -> None:
    from stedi.contract.notebooks import DELETE
    from stedi.notebook_runner import kernels
    from stedi.notebook_runner.execute import execute

    with tempfile.TemporaryDirectory() as folder, kernels.started((DELETE,), str(paths.NOTEBOOKS)) as running:
        execute(DELETE, {"lakehouse": lakehouse, "confirm": True}, Path(folder) / "06.ipynb", running)
