"""What a lakehouse on S3 is called, and how its resources on AWS are known to be its own."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from stedi.contract.errors import BadInput

KEYS = "STEDI_KEYS"
OWNER = "stedi.lakehouse"  # in the parameters of a Glue database or table; as a tag with a colon
TAG = "stedi:lakehouse"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9][\w.=-]*(/[A-Za-z0-9][\w.=-]*)*")
_LONGEST = 100  # of a database's name, so that a run's name still fits behind it


@dataclass(frozen=True)
class Names:
    """All names that follow from `s3://bucket/prefix`."""

    bucket: str
    prefix: str  # without a slash at its ends; empty for a whole bucket

    @classmethod
    def of(cls, location: str) -> "Names":
        """From the lakehouse's location. Raises BadInput for one that Glue or Athena could not take."""
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        names = cls(bucket, prefix.strip("/"))
        if not _BUCKET.fullmatch(bucket) or (names.prefix and not _PREFIX.fullmatch(names.prefix)):
            raise BadInput(
                f"The lakehouse {location} cannot be on S3. Expected: s3://bucket or s3://bucket/prefix, the bucket of "
                "3 to 63 small letters, digits, hyphens and full stops, the prefix of letters, digits, . _ - and /."
            )
        return names

    @property
    def location(self) -> str:
        """s3://bucket/prefix"""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def database(self) -> str:
        """The Glue database in which readers find the tables."""
        return re.sub(r"[^a-z0-9]+", "_", f"{self.bucket}/{self.prefix}".lower()).strip("_")[:_LONGEST]

    @property
    def key_database(self) -> str:
        """The Glue database of the pseudonym key, there only while pseudonyms are made."""
        return f"{self.database}_key"

    @property
    def runs(self) -> str:
        """What the name of every run's own database begins with."""
        return f"{self.database}_run_"

    def run_database(self, run_id: str) -> str:
        """The Glue database of a run's own, dropped at its end."""
        return self.runs + re.sub(r"[^a-z0-9]+", "_", run_id.lower())

    @property
    def workgroup(self) -> str:
        """The Athena workgroup."""
        return f"stedi-{self.database.replace('_', '-')}"

    @property
    def tags(self) -> dict[str, str]:
        """What every resource is tagged with."""
        return {TAG: self.location}

    @property
    def keys_folder(self) -> Path:
        """Where its keys lie: on this machine, never in the bucket. STEDI_KEYS can name another folder."""
        home = os.environ.get(KEYS) or "~/.local/share/stedi"
        return Path(home).expanduser() / self.bucket / f"{self.prefix or 'lakehouse'}.keys"
