"""A symbolic link in a source is followed within it, and refused where it leads out."""

import pytest

from stedi.cli import main
from stedi.contract.errors import BadInput
from stedi.ingest import discover


def move(path, to) -> None:
    """Move a file or folder, and leave a link to it."""
    to.parent.mkdir(parents=True, exist_ok=True)
    path.rename(to)
    path.symlink_to(to)


@pytest.mark.parametrize("linked", ["customer/landing/data.json", "customer/landing", "customer"])
def test_link_that_leads_out_is_refused_by_name(source, tmp_path, capsys, linked):
    move(source / linked, tmp_path / "elsewhere" / "moved")
    with pytest.raises(BadInput, match="customer/landing/data.json lies behind a symbolic link that leads out"):
        discover.locate_all(str(source), {})
    assert main.main(["run", "--source", str(source), "--lakehouse", str(tmp_path / "lake")]) == 2
    assert "leads out of the source" in capsys.readouterr().err
    assert not (tmp_path / "lake").exists()


def test_link_within_the_source_and_a_source_that_is_one_are_followed(source, tmp_path):
    move(source / "customer" / "landing" / "data.json", source / "kept" / "data.json")
    (tmp_path / "current").symlink_to(source)
    found = discover.locate_all(str(tmp_path / "current"), {})
    assert list(found["customer_landing"].files) == ["data.json"]
