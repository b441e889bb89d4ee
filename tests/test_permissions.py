"""What a lakehouse holds is its owner's alone, whatever the umask."""

import os

import pytest

from runs import land, publish
from stedi.storage import keys, open_lakehouse


@pytest.fixture(params=[0o000, 0o022, 0o027, 0o077], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


def open_to_others(folder) -> list[str]:
    return [str(path) for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]


@pytest.mark.usefixtures("umask")
def test_lakehouse_landing_quarantine_and_keys_are_closed_to_others(source, tmp_path):
    with (source / "customer" / "landing" / "data.json").open("a") as file:
        file.write("{cut\n")
    lake = tmp_path / "lake"
    land(source, str(lake), max_quarantined=1)
    assert open_to_others(lake) == []
    publish(source, str(lake), "standout", max_quarantined=1)
    assert open_to_others(lake) == []
    assert open_to_others(open_lakehouse(str(lake)).keys_folder) == []
    assert (lake / "quarantine").exists() and keys.has_pseudonym_key(open_lakehouse(str(lake)))


def test_lakehouse_that_was_open_is_closed_by_the_next_run(source, tmp_path):
    lake = tmp_path / "lake"
    land(source, str(lake))
    lake.chmod(0o755)
    land(source, str(lake))
    assert lake.stat().st_mode & 0o777 == 0o700
