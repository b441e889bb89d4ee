"""The two secrets of a lakehouse: one that its pseudonyms are made with, one for the tombstones of erased people.

They lie outside of the lakehouse (beside it, in `<lakehouse>.keys/`, or for one on S3 on this machine), so that whoever
copies or publishes it does not carry them along.
"""

import hmac
import os
import secrets
from pathlib import Path

from stedi.contract import paths
from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.storage import layout
from stedi.storage.files import replace_file
from stedi.storage.protocol import Storage

FILE_VARIABLE = "STEDI_PSEUDONYM_KEY_FILE"  # in the environment: a key file to use in place of our own
LENGTH = 32  # bytes
PSEUDONYM, TOMBSTONE = "pseudonym.key", "tombstone.key"
_LEAST_VALUES = 8  # different bytes of a key: 32 random ones have fewer once in 10^36 keys
_BLOCK = 64  # of SHA-256, to which HMAC pads a key


def pseudonym(lake: Storage) -> bytes:
    """The key of the pseudonyms: the file that STEDI_PSEUDONYM_KEY_FILE names, or else one made on first use.

    Raises BadInput for a file that is missing, of another length than 32 bytes, or readable by others.
    """
    given = os.environ.get(FILE_VARIABLE)
    if given:
        return _read(Path(paths.resolve(given)))
    return _read(_make(lake.keys_folder / PSEUDONYM))


def has_pseudonym_key(lake: Storage) -> bool:
    """Whether there is a key of the pseudonyms already, ours or the environment's."""
    return bool(os.environ.get(FILE_VARIABLE)) or (lake.keys_folder / PSEUDONYM).exists()


def tombstone(lake: Storage, make: bool = False) -> bytes:
    """The key of the tombstones; to be made where there is none, `make` says.

    Raises BadInput where it is missing and somebody was erased under it: nobody can replace it.
    """
    path = lake.keys_folder / TOMBSTONE
    if not path.exists() and (erased := len(lake.files(layout.ERASURES))):
        raise BadInput(
            f"The key file {path} cannot be read: it is not there, and {erased} erasures were made under it. With "
            "another key these people would come back. Restore it from your backup of the folder of keys, mode 600."
        )
    return _read(_make(path) if make else path)


def rotate(lake: Storage) -> None:
    """Replace the pseudonym key. Tables made with the old one and the new one can still be joined on their times.

    Raises BadInput where the key comes from the environment.
    """
    if os.environ.get(FILE_VARIABLE):
        raise BadInput(f"The key is the file that {FILE_VARIABLE} names. Replace that file, or unset {FILE_VARIABLE}.")
    write(lake.keys_folder / PSEUDONYM, secrets.token_bytes(LENGTH))


def write(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read, all at once."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, content, mode=0o600)
    except OSError as error:
        raise CouldNotFinish(f"{path} could not be written: {error.strerror}.") from None


def name_of(secret: bytes) -> str:
    """A name for a key, by which two runs can tell whether they had the same; it does not lead back to the key."""
    return hmac.digest(secret, b"stedi: the name of this key", "sha256").hex()[:16]


def key_table_row(secret: bytes) -> tuple[bytes, bytes, bytes]:
    """The one row of the key table: the secret, and the inner and outer pad that HMAC makes of it (RFC 2104)."""
    padded = secret.ljust(_BLOCK, b"\0")
    return secret, bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)


def _make(path: Path) -> Path:
    if not path.exists():
        write(path, secrets.token_bytes(LENGTH))
    return path


def _read(path: Path) -> bytes:
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise BadInput(f"The key file {path} cannot be read: {error.strerror}. Restore it.") from None
    if mode & 0o077:
        raise BadInput(f"The key file {path} is open to others (mode {mode & 0o777:o}). Close it: chmod 600 {path}")
    if len(content) != LENGTH:
        raise BadInput(f"The key file {path} holds {len(content)} bytes. Expected: {LENGTH} random bytes.")
    if len(set(content)) < _LEAST_VALUES:
        raise BadInput(
            f"The key file {path} holds the same few bytes again and again, which anybody can guess. Expected: "
            f"{LENGTH} random bytes: head -c {LENGTH} /dev/urandom."
        )
    return content
