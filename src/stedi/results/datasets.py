"""Which data it is: known data sets and their row counts, recognised by the bytes of their files."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from stedi import storage
from stedi.contract import paths
from stedi.contract.errors import BadInput
from stedi.results.model.run import Data
from stedi.storage import digests
from stedi.storage.record import RunRecord

KNOWN = paths.EXPECTATIONS / "row_counts.json"


@dataclass(frozen=True)
class Dataset:
    """Data that landed. `rows` are the exact counts, {policy: {table: rows}}, where they are known."""

    kind: Literal["public", "synthetic", "other"]
    name: str
    fingerprint: str
    rows: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def described(self) -> Data:
        """What the results say of it."""
        return Data(kind=self.kind, name=self.name, fingerprint=self.fingerprint)


def of_run(record: RunRecord) -> Dataset:
    """The data set that a run has landed, by the bytes of its files as they arrived.

    Its row counts are those of the whole data, so they are not known once somebody was erased.
    """
    files = [file for landed in record.landing.values() for file in landed.files]
    whole = recognise(digests.digest_set(file.content_sha256 for file in files), record.source)
    erased = sum(file.erased for file in files)
    return replace(whole, name=f"{whole.name}, without {erased:,} erased lines", rows={}) if erased else whole


def recognise(digest: str, source: str) -> Dataset:
    """The data set with this fingerprint of its files.

    One that is not in `row_counts.json` may say beside its files that it was generated, and with how many rows. That is
    believed of the very files that were generated only, and never that data is public.
    """
    known = json.loads(KNOWN.read_text(encoding="utf-8")).get(digest)
    if known:
        return Dataset(known["kind"], known["name"], digest, known["rows"])
    try:
        beside = storage.open_source(source).read_json("expected.json") or {}
    except BadInput:  # a file of somebody else's that happens to have this name
        beside = {}
    if beside.get("kind") == "synthetic" and beside.get("fingerprint") == digest:
        name = f"generated sample, scale {beside['scale']}, seed {beside['seed']}"
        return Dataset("synthetic", name, digest, beside["rows"])
    return Dataset("other", "data that is not known here", digest)


def ensure_sample(source: str) -> None:
    """Generate the sample where the default source is asked for and is not there yet."""
    folder = Path(paths.resolve(source))
    if folder == Path(paths.resolve(paths.SOURCE)) and not (folder / "expected.json").exists():
        from stedi.sample import generate

        generate.generate(folder)
