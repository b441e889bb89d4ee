"""An AWS on this machine for tests: moto's server with the Athena double, and the environment that points at it."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import athena_double

ACCOUNT, REGION = "123456789012", "us-east-1"


@contextmanager
def started(folder) -> Iterator[str]:
    """A server, and an environment in which AWS is this server and nothing of the user's. Gives its address."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        athena_double.install(patch)
        server.start()
        host, port = server.get_host_and_port()
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in environment(f"http://{host}:{port}", folder).items():
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", boto3.Session())
        yield f"http://{host}:{port}"
        server.stop()


def environment(address: str, folder) -> dict[str, str]:
    """What sets AWS up."""
    nowhere = str(folder / "none")
    return {
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": address, "STEDI_KEYS": str(folder / "keys"),
    }  # fmt: skip


def recorded(monkeypatch, calls: list) -> list:
    """From now on, every call to AWS is noted as (operation, parameters)."""
    from botocore.client import BaseClient

    real = BaseClient._make_api_call

    def call(self, operation, given):
        calls.append((operation, given))
        return real(self, operation, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return calls
