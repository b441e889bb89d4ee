"""Keys are made on first use, closed to others, and refused where they cannot be relied on."""

import hmac
import stat

import pytest

from stedi.contract.errors import BadInput
from stedi.ingest.tombstones import Tombstones
from stedi.storage import keys
from stedi.storage.erasures import Erasure
from stedi.storage.local import Folder

GIVEN = bytes(range(32))


@pytest.fixture
def lake(tmp_path, monkeypatch) -> Folder:
    monkeypatch.delenv(keys.FILE_VARIABLE, raising=False)
    return Folder(tmp_path / "lake")


@pytest.fixture
def given(tmp_path, monkeypatch):
    """A key file that the environment names."""
    path = tmp_path / "given.key"
    path.write_bytes(GIVEN)
    path.chmod(0o600)
    monkeypatch.setenv(keys.FILE_VARIABLE, str(path))
    return path


def test_key_is_made_on_first_use_beside_the_lakehouse_and_closed_to_others(lake, tmp_path):
    secret = keys.pseudonym(lake)
    path = tmp_path / "lake.keys" / "pseudonym.key"
    assert (len(secret), path.read_bytes()) == (32, secret)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert keys.pseudonym(lake) == secret


def test_two_lakehouses_have_keys_of_their_own(lake, tmp_path):
    assert keys.pseudonym(lake) != keys.pseudonym(Folder(tmp_path / "other"))
    assert keys.pseudonym(lake) != keys.tombstone(lake, make=True)


def test_key_can_be_given(lake, given):
    assert keys.pseudonym(lake) == GIVEN
    assert not lake.keys_folder.exists()


def test_key_that_is_given_but_missing_is_refused(lake, given):
    given.unlink()
    with pytest.raises(BadInput, match=r"given.key cannot be read: No such file"):
        keys.pseudonym(lake)


@pytest.mark.parametrize("content", [b"", b"g" * 31, GIVEN + b"\n"], ids=len)
def test_key_of_another_length_is_refused(lake, given, content):
    given.write_bytes(content)
    with pytest.raises(BadInput, match=f"holds {len(content)} bytes. Expected: 32"):
        keys.pseudonym(lake)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_key_that_is_open_to_others_is_refused(lake, given, mode):
    given.chmod(mode)
    with pytest.raises(BadInput, match=f"open to others .mode {mode:o}.. Close it: chmod 600"):
        keys.pseudonym(lake)


def test_rotation_replaces_the_pseudonym_key_and_not_the_other(lake):
    old, tombstone = keys.pseudonym(lake), keys.tombstone(lake, make=True)
    keys.rotate(lake)
    assert keys.pseudonym(lake) != old
    assert keys.tombstone(lake) == tombstone


def test_key_that_is_given_is_not_rotated(lake, given):
    with pytest.raises(BadInput, match="Replace that file, or unset STEDI_PSEUDONYM_KEY_FILE"):
        keys.rotate(lake)
    assert given.read_bytes() == GIVEN


def test_tombstone_key_is_never_made_silently(lake):
    with pytest.raises(BadInput, match=r"tombstone.key cannot be read.*Restore it"):
        keys.tombstone(lake)
    assert not lake.keys_folder.exists()


def test_name_of_a_key_tells_keys_apart_and_does_not_hold_them():
    one, other = bytes(32), bytes(31) + b"\1"
    assert keys.name_of(one) == keys.name_of(bytes(32)) != keys.name_of(other)
    assert len(keys.name_of(one)) == 16
    assert keys.name_of(other) not in other.hex()


def test_row_of_the_key_table_holds_the_pads_of_hmac():
    from hashlib import sha256

    secret, inner, outer = keys.key_table_row(bytes(range(32)))
    digest = sha256(outer + sha256(inner + b"text").digest()).digest()
    assert digest == hmac.digest(secret, b"text", "sha256")


@pytest.mark.parametrize("content", [bytes(32), b"g" * 32, b"ab" * 16, b"0123" * 8], ids=repr)
@pytest.mark.parametrize("name", [keys.PSEUDONYM, keys.TOMBSTONE])
def test_key_that_anybody_can_guess_is_refused(lake, name, content):
    keys.write(lake.keys_folder / name, content)
    with pytest.raises(BadInput, match="same few bytes again and again"):
        keys.pseudonym(lake) if name == keys.PSEUDONYM else keys.tombstone(lake, make=True)


def test_keys_are_found_through_a_link_to_the_lakehouse(lake, tmp_path):
    lake.root.mkdir()
    secrets = keys.pseudonym(lake), keys.tombstone(lake, make=True)
    (tmp_path / "elsewhere").mkdir()
    for link in (tmp_path / "current", tmp_path / "elsewhere" / "other"):
        link.symlink_to(lake.root)
        assert (keys.pseudonym(Folder(link)), keys.tombstone(Folder(link))) == secrets
    assert [path.name for path in tmp_path.rglob("*.keys")] == ["lake.keys"]


def erasure(lake: Folder, key: str = "") -> None:
    Erasure(id="0123456789ab", requested_at="2026-01-01", people=1, marks=["0" * 64], key=key).save_in(lake)


def test_key_of_the_tombstones_is_not_made_again_once_somebody_was_erased(lake):
    keys.tombstone(lake, make=True)
    erasure(lake)
    (lake.keys_folder / keys.TOMBSTONE).unlink()
    with pytest.raises(BadInput, match=r"tombstone.key cannot be read.*Restore it from your backup"):
        keys.tombstone(lake, make=True)
    assert not (lake.keys_folder / keys.TOMBSTONE).exists()


def test_another_key_than_that_of_the_tombstones_is_refused(lake):
    erasure(lake, keys.name_of(GIVEN))
    keys.write(lake.keys_folder / keys.TOMBSTONE, GIVEN)
    assert Tombstones(lake)
    keys.write(lake.keys_folder / keys.TOMBSTONE, GIVEN[::-1])
    with pytest.raises(BadInput, match="another one than the erasures of .* were made under"):
        Tombstones(lake)
