"""How AWS is asked, and what its refusals mean to the user."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from stedi.contract.errors import BadInput, CouldNotFinish, StediError

MISSING = ("NoSuchBucket", "NoSuchKey", "NoSuchTagSet", "404", "EntityNotFoundException")
_DENIED = ("AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation", "403")
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_UNKNOWN = ("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "SignatureDoesNotMatch",
            "UnrecognizedClientException")  # fmt: skip
_ELSEWHERE = ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
_BUSY = ("Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown", "RequestLimitExceeded")
_TRIES = 6  # of one call, with growing pauses: busy, faulty or unreachable services


def settings() -> dict[str, Any]:
    """How often and how long a call is tried."""
    retries = {"mode": "standard", "total_max_attempts": _TRIES}
    return {"retries": retries, "connect_timeout": 10, "max_pool_connections": 16}


@cache
def _client(service: str, session: object) -> Any:
    from botocore.config import Config

    return session.client(service, config=Config(**settings()))


def client(service: str) -> Any:
    """A client of a service, as the environment sets AWS up."""
    import boto3

    if boto3.DEFAULT_SESSION is None:
        boto3.setup_default_session()
    return _client(service, boto3.DEFAULT_SESSION)


def wrangler() -> ModuleType:
    """awswrangler, which tries its calls as often."""
    import awswrangler
    from botocore.config import Config

    awswrangler.config.botocore_config = Config(**settings())
    return awswrangler


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Calls to AWS that are made to do `what`. Raises BadInput for what the user can mend, CouldNotFinish otherwise."""
    try:
        from botocore import exceptions as boto
        from s3transfer.exceptions import S3DownloadFailedError, S3UploadFailedError
    except ImportError:
        raise BadInput("A lakehouse on S3 needs awswrangler. Install it: pip install 'stedi[aws]'.") from None
    try:
        yield
    except boto.ClientError as error:
        raise _refused(what, error) from None
    except (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError, boto.ResponseStreamingError):
        raise CouldNotFinish(
            f"AWS could not be reached to {what}. Check the network, the region (AWS_DEFAULT_REGION) and "
            "AWS_ENDPOINT_URL if it is set, and try again."
        ) from None
    except boto.BotoCoreError as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise BadInput(
            f"AWS cannot be asked to {what} as it is set up here: {said}. Expected: a region (AWS_DEFAULT_REGION), and "
            "credentials as for the AWS command line (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)."
        ) from None
    except (S3UploadFailedError, S3DownloadFailedError) as error:
        raise CouldNotFinish(f"S3 did not let us {what}: {code_in(str(error))}. Try again.") from None


def code_in(text: str) -> str:
    """The code in a message of AWS: what stands in brackets."""
    return text.partition("(")[2].partition(")")[0] or "no code given"


def code_of(error: Exception) -> str:
    """The code of an answer."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", "unknown"))


def _refused(what: str, error: Exception) -> StediError:
    """What an answer of AWS means to the user: what was tried, and what to do."""
    code, operation = code_of(error), getattr(error, "operation_name", "a call")
    asked = f"AWS was asked to {what} ({operation}: {code})"
    if code in _DENIED:
        return BadInput(
            f"{asked}, and these credentials may not. They need the permission for {operation}; the policy with all "
            "that a run needs is printed by: stedi iam-policy. Attach it, or use other credentials (AWS_PROFILE)."
        )
    if code in _EXPIRED:
        return BadInput(f"{asked}, and the credentials have expired. Renew them and try again.")
    if code in _UNKNOWN:
        return BadInput(f"{asked}, and it does not know the credentials. Check them (AWS_PROFILE), or renew them.")
    if code in _ELSEWHERE:
        return BadInput(f"{asked}, in the wrong region. Set AWS_DEFAULT_REGION to the region of the bucket.")
    if code in MISSING:
        return BadInput(f"{asked}, and it is not there. Check the name, or run notebook 01 to create it.")
    if code in _BUSY:
        return CouldNotFinish(f"{asked}, and was too busy {_TRIES} times in a row. Try again later.")
    return CouldNotFinish(f"{asked}, and it could not. Try again; what was published before stays.")
