"""What tests share: where the public data is, and a small source of landing JSON."""

import json
import os
from pathlib import Path

import pytest

from rows import LANDED
from stedi.contract import paths, tables


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The public data's folder; the test is skipped where it is not there, for it may not be shipped."""
    folder = Path(os.environ.get("STEDI_DATA", paths.ROOT.parent / "shared" / "data" / "stedi"))
    if not folder.is_dir():
        pytest.skip(f"the public data is not at {folder} (set STEDI_DATA to its folder)")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source with the few rows of `rows.LANDED`, one file a table."""
    return write_source(tmp_path / "source", LANDED)


def write_source(folder: Path, landed: dict[str, list[dict]]) -> Path:
    """Write rows as landing JSON: the source's keys, absent where there is no value."""
    for name, rows in landed.items():
        table = tables.table(name)
        path = folder / table.subject / "landing" / "data.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        keyed = ({c.key: row[c.name] for c in table.columns if row[c.name] is not None} for row in rows)
        path.write_text("".join(json.dumps(each) + "\n" for each in keyed), encoding="utf-8")
    return folder
