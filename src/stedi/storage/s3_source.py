"""A prefix on S3 as a source, through awswrangler (the `aws` extra)."""

import glob
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from stedi.contract.errors import BadInput, CouldNotFinish
from stedi.storage import aws_client
from stedi.storage.local import HIDDEN, json_object


class Bucket:
    """A prefix on S3, with the reading half of `storage.Folder`.

    Every method raises BadInput for what the user can mend (a name, credentials, permissions), CouldNotFinish for the
    network and for faults of S3.
    """

    def __init__(self, root: str):
        self.root = root.rstrip("/")

    def files(self, path: str = "") -> list[str]:
        """All data files below `path`, relative to it, sorted."""
        below = f"{self.url(path)}/"
        with _awswrangler(below) as aws:
            names = [name.removeprefix(below) for name in aws.s3.list_objects(_all_of(below))]
        if unusable := [name for name in names if "" in name.split("/")]:
            raise BadInput(f"{below}{unusable[0]} has a folder without a name (//). Rename it, or leave it out.")
        return sorted(name for name in names if not any(part.startswith(HIDDEN) for part in name.split("/")))

    def size(self, path: str = "") -> int:
        """The bytes of all data files below `path`."""
        below = f"{self.url(path)}/"
        names = [below + glob.escape(name) for name in self.files(path)]
        with _awswrangler(below) as aws:
            return sum(aws.s3.size_objects(names).values()) if names else 0

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
        url, content = self.url(path), io.BytesIO()
        with _awswrangler(url) as aws:
            if url not in aws.s3.list_objects(_all_of(url)):  # asking for the object itself needs more permissions
                return None
            aws.s3.download(url, local_file=content)
        return json_object(content.getvalue(), url)


def _all_of(prefix: str) -> str:
    """The pattern of every name that begins so, whatever characters are in it."""
    return f"{glob.escape(prefix)}*"


@contextmanager
def _awswrangler(url: str) -> Iterator[ModuleType]:
    """awswrangler, to ask for what is at `url`. Its errors, and those of boto, become ours."""
    try:
        awswrangler = aws_client.wrangler()
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
