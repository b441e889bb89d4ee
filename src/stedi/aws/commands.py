"""The commands that are about AWS."""

import argparse
import json

from stedi.errors import BadInput


def iam_policy(lakehouse: str, given: argparse.Namespace) -> None:
    """Print the policy that a run on this lakehouse needs, with the account and region filled in."""
    from stedi.aws import resources
    from stedi.aws.calls import client
    from stedi.aws.permissions import policy

    if not lakehouse.startswith("s3://"):
        raise BadInput(
            f"The lakehouse {lakehouse} is a folder, which needs no permissions. Give --lakehouse s3://bucket."
        )
    account = given.account or resources.account()
    region = given.region or client("s3").meta.region_name
    print(json.dumps(policy(lakehouse, region, account, given.source or ""), indent=2))
