"""Lets DuckDB read and list on S3: its own extension for that is a download."""

import os
from functools import cache
from typing import Any


def allow(connection: Any) -> None:
    """Let a DuckDB connection read s3:// paths, as the environment sets AWS up."""
    if not connection.filesystem_is_registered("s3"):
        connection.register_filesystem(
            _filesystem(tuple(sorted(each for each in os.environ.items() if "AWS" in each[0])))
        )


@cache
def _filesystem(environment: tuple) -> Any:
    """One for each way in which AWS is set up: it takes a while to be made."""
    import s3fs

    from stedi.storage.aws_client import settings

    return s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True, config_kwargs=settings())
