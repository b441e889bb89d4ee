"""Where files lie: a folder, or (for sources) a prefix on S3, behind one small interface."""

import glob
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from stedi.errors import BadInput, CouldNotFinish, LakehouseLocked

HIDDEN = (".", "_")  # as on Athena and Spark: such files are not data


class Folder:
    """A folder. Every `path` is relative to it, with forward slashes."""

    def __init__(self, root: str | Path):
        self.root = Path(root)

    def url(self, path: str = "") -> str:
        """The full name, for engines."""
        return str(self.root / path)

    def exists(self, path: str = "") -> bool:
        """Whether there is a file or folder of that name."""
        return (self.root / path).exists()

    def files(self, path: str = "") -> list[str]:
        """All data files below `path`, relative to it, sorted."""
        below = self.root / path
        found = (file.relative_to(below) for file in below.rglob("*") if file.is_file())
        return sorted(file.as_posix() for file in found if not any(part.startswith(HIDDEN) for part in file.parts))

    def folders(self, path: str = "") -> list[str]:
        """The names of the folders in `path`, sorted."""
        below = self.root / path
        return sorted(each.name for each in below.iterdir() if each.is_dir()) if below.is_dir() else []

    def fetch(self, path: str, to: Path) -> None:
        """Copy one file out, unchanged."""
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.root / path, to)

    def read_json(self, path: str) -> dict | None:
        """The JSON object in a file; None where there is no such file."""
        file = self.root / path
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def write_json(self, path: str, value: dict) -> None:
        """Replace a file by a JSON object, all at once: a reader sees the old one or the new one."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f"{file.name}.{os.getpid()}.tmp")
        with new.open("w", encoding="utf-8") as out:
            out.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
            out.flush()
            os.fsync(out.fileno())
        new.replace(file)

    def move(self, path: str, to: str) -> None:
        """Move a folder, all at once. What is there already is replaced."""
        target = self.root / to
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        (self.root / path).rename(target)

    def delete(self, path: str) -> None:
        """Delete a file or folder, and the folders above it that are empty then (never the root)."""
        gone = self.root / path
        if gone.is_dir():
            shutil.rmtree(gone)
        else:
            gone.unlink(missing_ok=True)
        while (gone := gone.parent) != self.root and gone.is_dir() and not any(gone.iterdir()):
            gone.rmdir()

    @contextmanager
    def lock(self, owner: str) -> Iterator[None]:
        """Hold the lakehouse for `owner` (a run id); its other processes may come in, nobody else.

        The system lets go of the lock when the process ends, however it ends. Raises LakehouseLocked.
        """
        import fcntl

        with (self.root / ".lock").open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read()
                if holder != owner:
                    raise LakehouseLocked(
                        f"Run {holder or '(unknown)'} is writing to {self.root}. Wait until it has ended, or end it."
                    ) from None
                yield  # a notebook of the run that holds the lock
                return
            file.truncate(0)
            file.write(owner)
            file.flush()
            yield


class Bucket:
    """A prefix on S3 as a source, read through awswrangler (the `aws` extra).

    Every method raises BadInput for what the user can mend (a name, credentials, permissions), CouldNotFinish for the
    network and for faults of S3.
    """

    def __init__(self, root: str):
        self.root = root.rstrip("/")

    def files(self, path: str = "") -> list[str]:
        """All data files below `path`, relative to it, sorted. Names that end in a slash are folders, not files."""
        below = f"{self.url(path)}/"
        with _awswrangler(below) as aws:
            found = [name.removeprefix(below) for name in aws.s3.list_objects(_all_of(below))]
        names = [name for name in found if not name.endswith("/")]
        if unusable := [name for name in names if "" in name.split("/")]:
            raise BadInput(f"{below}{unusable[0]} has a folder without a name (//). Rename it, or leave it out.")
        return sorted(name for name in names if not any(part.startswith(HIDDEN) for part in name.split("/")))

    def holds_any(self) -> bool:
        """Whether there is anything at all in it."""
        with _awswrangler(self.url()) as aws:
            return any(aws.s3.list_objects(_all_of(f"{self.url()}/"), chunked=True))

    def fetch(self, path: str, to: Path) -> None:
        """Copy one object to a file, unchanged."""
        to.parent.mkdir(parents=True, exist_ok=True)
        with _awswrangler(self.url(path)) as aws:
            aws.s3.download(self.url(path), local_file=str(to))

    def url(self, path: str = "") -> str:
        """The full name, for messages."""
        return f"{self.root}/{path}".rstrip("/")

    def read_json(self, path: str) -> dict | None:
        """The JSON object in a small object; None where there is no such object."""
        import io

        url, content = self.url(path), io.BytesIO()
        with _awswrangler(url) as aws:
            if url not in aws.s3.list_objects(_all_of(url)):  # asking for the object itself needs more permissions
                return None
            aws.s3.download(url, local_file=content)
        return json.loads(content.getvalue())


def _all_of(prefix: str) -> str:
    """The pattern of every name that begins so, whatever characters are in it."""
    return f"{glob.escape(prefix)}*"


@contextmanager
def _awswrangler(url: str) -> Iterator[ModuleType]:
    """awswrangler, to ask for what is at `url`. Its errors, and those of boto, become ours."""
    try:
        import awswrangler
        from botocore import exceptions as boto
    except ImportError:
        raise BadInput("A source on S3 needs awswrangler. Install it: pip install 'stedi[aws]'.") from None
    try:
        yield awswrangler
    except boto.ClientError as error:
        raise _refusal(url, str(error.response.get("Error", {}).get("Code", "unknown"))) from None
    except (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError, boto.ResponseStreamingError):
        raise CouldNotFinish(
            f"{url} could not be reached. Check the network, the region (AWS_DEFAULT_REGION) and AWS_ENDPOINT_URL if "
            "it is set, and try again."
        ) from None
    except (boto.BotoCoreError, awswrangler.exceptions.InvalidArgumentValue, ValueError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise BadInput(
            f"{url} cannot be read as AWS is set up here: {said}. Expected: s3://bucket/prefix, and credentials as for "
            "the AWS command line (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)."
        ) from None


def _refusal(url: str, code: str) -> BadInput | CouldNotFinish:
    """What an answer of S3 means to the user."""
    if code in ("NoSuchBucket", "NoSuchKey", "404"):
        return BadInput(f"{url} does not exist ({code}). Check the names of the bucket and of the prefix.")
    if code in ("AccessDenied", "AllAccessDisabled", "403"):
        return BadInput(
            f"{url} may not be read with these credentials ({code}). They need s3:ListBucket on the bucket and "
            "s3:GetObject on its objects; or use others (AWS_PROFILE)."
        )
    if code in ("ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "TokenRefreshRequired"):
        return BadInput(f"{url} was asked for with credentials that are not valid ({code}). Renew them and try again.")
    return CouldNotFinish(f"S3 did not answer for {url} ({code}). Try again later.")


def source(location: str) -> Folder | Bucket:
    """The place that landing files come from. Raises BadInput where there is no such folder, or nothing on S3."""
    wanted = "with customer/landing/, accelerometer/landing/ and step_trainer/landing/ in it."
    if location.startswith("s3://"):
        bucket = Bucket(location)
        if not bucket.holds_any():
            raise BadInput(f"The source {location} holds nothing. Expected: an s3:// prefix {wanted}")
        return bucket
    if not Path(location).is_dir():
        raise BadInput(f"The source {location} is not a folder. Expected: a folder or s3:// prefix {wanted}")
    return Folder(location)
