"""Which data it is: known data sets and their row counts, recognised by the bytes of their files or by their rows."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from stedi import storage
from stedi.contract import paths, tables
from stedi.contract.errors import BadInput
from stedi.results.model.run import Data
from stedi.storage import digests
from stedi.storage.record import RunRecord

KNOWN = paths.EXPECTATIONS / "row_counts.json"


@dataclass(frozen=True)
class Dataset:
    """Data that landed. `rows` are the exact counts, {policy: {table: rows}}, where they are known.

    `faults` says what is wrong with it; `unique_rows` names the landing tables in which it repeats no row.
    """

    kind: Literal["public", "synthetic", "other"]
    name: str
    fingerprint: str
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    unique_rows: tuple[str, ...] = ()
    recognised_by: Literal["files", "rows"] | None = None

    @property
    def described(self) -> Data:
        """What the results say of it."""
        return Data(
            kind=self.kind, name=self.name, fingerprint=self.fingerprint, recognised_by=self.recognised_by,
            faults=list(self.faults),
        )  # fmt: skip


def of_run(record: RunRecord) -> Dataset:
    """The data set that a run has landed, by the bytes of its files as they arrived, or else by its rows.

    Its row counts are those of the whole data, so they are not known once somebody was erased.
    """
    files = [file for landed in record.landing.values() for file in landed.files]
    digest = digests.digest_set(file.content_sha256 for file in files)
    whole = recognise(digest, record.source)
    erased = sum(file.erased for file in files)
    if erased:
        return replace(whole, name=f"{whole.name}, without {erased:,} erased lines", rows={})
    return whole if whole.recognised_by else _recognise_rows(record, digest) or whole


def recognise(digest: str, source: str) -> Dataset:
    """The data set with this fingerprint of its files.

    One that is not in `row_counts.json` may say beside its files that it was generated, and with how many rows. That is
    believed of the very files that were generated only, and never that data is public.
    """
    for known in _known():
        if version := known["versions"].get(digest):
            faults = (*version["faults"], *known["faults"])
            return _dataset(known, version["name"], digest, faults, "files")
    try:
        beside = storage.open_source(source).read_json("expected.json") or {}
    except BadInput:  # a file of somebody else's that happens to have this name
        beside = {}
    if beside.get("kind") == "synthetic" and beside.get("fingerprint") == digest:
        name = f"generated sample, scale {beside['scale']}, seed {beside['seed']}"
        unique = tuple(table.name for table in tables.LANDING)
        return Dataset("synthetic", name, digest, beside["rows"], unique_rows=unique, recognised_by="files")
    return Dataset("other", "data that is not known here", digest)


def _recognise_rows(record: RunRecord, digest: str) -> Dataset | None:
    """The known data set whose rows have landed, from files that are written otherwise; None where there is none.

    Not where a customer's record was quarantined: it takes part in what a policy decides.
    """
    customers = record.landing.get("customer_landing")
    if customers and customers.quarantined:
        return None
    landed = {table.name: record.tables[table.name].fingerprint for table in tables.LANDING
              if table.name in record.tables}  # fmt: skip
    for known in _known():
        if landed == known["landing"]:
            latest = next(iter(known["versions"].values()))["name"]
            return _dataset(known, f"the rows of {latest}, in another form", digest, known["faults"], "rows")
    return None


def _known() -> list[dict[str, Any]]:
    """The known data sets. The versions of each hold the same rows; `landing` has the fingerprints of its tables."""
    known: list[dict[str, Any]] = json.loads(KNOWN.read_text(encoding="utf-8"))
    return known


def _dataset(
    known: dict[str, Any], name: str, digest: str, faults: Iterable[str], by: Literal["files", "rows"]
) -> Dataset:
    return Dataset(known["kind"], name, digest, known["rows"], tuple(faults), tuple(known["unique_rows"]), by)


def ensure_sample(source: str) -> None:
    """Generate the sample where the default source is asked for and is not there yet."""
    folder = Path(paths.resolve(source))
    if folder == Path(paths.resolve(paths.SOURCE)) and not (folder / "expected.json").exists():
        from stedi.sample import generate

        generate.generate(folder)
