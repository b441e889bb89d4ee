"""The receipt of an erasure: what is published before and after it, compared table by table. It names nobody."""

import hmac

from stedi.contract import tables
from stedi.storage import catalog, layout
from stedi.storage.erasures import Erasure, PublishedState, Receipt, RunsCompared, Search, TableChange, TableState
from stedi.storage.protocol import Storage
from stedi.storage.record import RunRecord, utc_now


def published_state(lake: Storage, secret: bytes) -> PublishedState | None:
    """What is published, as a receipt compares it, under the key of the tombstones; None where nothing is."""
    current = catalog.load(lake)
    if current is None:
        return None
    landing = RunRecord.require_published(lake, current.run_id).landing
    erased = {
        name: {keyed(secret, file.name): file.erased for file in landed.files} for name, landed in landing.items()
    }
    return PublishedState(
        run_id=current.run_id,
        tables={
            name: TableState(rows=entry.rows, fingerprint=keyed(secret, entry.fingerprint), erased=erased.get(name, {}))
            for name, entry in current.tables.items()
        },
    )


def keyed(secret: bytes, text: str) -> str:
    """A digest of a fingerprint or a file name, of which nobody without the key can tell what it was made of."""
    return hmac.digest(secret, f"receipt\0{text}".encode("utf-8", "surrogatepass"), "sha256").hex()


def complete(erasure: Erasure, after: PublishedState | None, searched: Search) -> Receipt:
    """The receipt of an erasure that has left no trace."""
    before = erasure.before
    return Receipt(
        id=erasure.id,
        requested_at=erasure.requested_at,
        completed_at=utc_now(),
        people=erasure.people,
        runs=RunsCompared(before=before.run_id if before else None, after=after.run_id if after else None),
        tables=[_change(name, before, after) for name in tables.NAMES] if before and after else [],
        searched=searched,
    )


def summary(receipt: Receipt) -> str:
    """A receipt as text."""
    lines = [f"Erasure {receipt.id}, {receipt.people} people, asked for {receipt.requested_at}, complete "
             f"{receipt.completed_at}."]  # fmt: skip
    lines += [f"  {table.name:<24} {table.rows_removed:>11,} rows removed, {table.rows_after:>13,} left"
              for table in receipt.tables]  # fmt: skip
    searched = receipt.searched
    lines.append(f"  Searched {searched.files:,} files, {searched.bytes:,} bytes: no trace found.")
    if left := searched.devices_left_as_they_are_also_another_customers:
        lines.append(f"  {left} devices stand in records of others too: their readings were left.")
    if searched.not_searched:
        lines.append("  Not searched, for they cannot be unpacked: " + ", ".join(searched.not_searched))
    return "\n".join([*lines, f"  Receipt: {layout.erasure(receipt.id)} in the lakehouse."])


def _change(name: str, before: PublishedState, after: PublishedState) -> TableChange:
    old, new = before.tables[name], after.tables[name]
    return TableChange(
        name=name,
        rows_before=old.rows,
        rows_after=new.rows,
        rows_removed=old.rows - new.rows,
        files_rewritten=sum(erased > old.erased.get(file, 0) for file, erased in new.erased.items()),
        fingerprint_before=old.fingerprint,
        fingerprint_after=new.fingerprint,
    )
