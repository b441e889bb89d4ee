"""How AWS is asked, and what its refusals mean to the user."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any, TypeVar

from stedi.contract.errors import BadInput, CouldNotFinish, StediError

MISSING = ("NoSuchBucket", "NoSuchKey", "NoSuchTagSet", "404", "EntityNotFoundException")
_DENIED = ("AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation", "403")
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_UNKNOWN = ("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "SignatureDoesNotMatch",
            "UnrecognizedClientException")  # fmt: skip
_ELSEWHERE = ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
_BUSY = ("Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown", "RequestLimitExceeded")
_READING = ("GetObject", "HeadObject", "ListObjectsV2")
_TRIES = 6  # of one call, with growing pauses: busy, faulty or unreachable services

Answer = TypeVar("Answer")


def settings() -> dict[str, Any]:
    """How often and how long a call is tried."""
    retries = {"mode": "standard", "total_max_attempts": _TRIES}
    return {"retries": retries, "connect_timeout": 10, "max_pool_connections": 16}


@cache
def _client(service: str, session: Any) -> Any:
    from botocore.config import Config

    return session.client(service, config=Config(**settings()))


def client(service: str) -> Any:
    """A client of a service, as the environment sets AWS up. Raises BadInput where that is wrong."""
    with calling(f"use {service}"):
        import boto3

        if boto3.DEFAULT_SESSION is None:
            boto3.setup_default_session()
        try:
            return _client(service, boto3.DEFAULT_SESSION)
        except ValueError as error:  # of an address that is none
            raise _set_up_wrongly(f"use {service}", error) from None


def wrangler() -> ModuleType:
    """awswrangler, which tries its calls as often."""
    client("s3")  # says what is wrong with the way in which AWS is set up
    import awswrangler
    from botocore.config import Config

    awswrangler.config.botocore_config = Config(**settings())
    return awswrangler


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Calls to AWS that are made to do `what`. Raises BadInput for what the user can mend, CouldNotFinish otherwise."""
    if find_spec("awswrangler") is None or find_spec("boto3") is None:
        raise BadInput("S3 needs awswrangler. Install it: pip install 'stedi[aws]'.")
    from boto3.exceptions import Boto3Error
    from botocore import exceptions as boto

    try:
        yield
    except boto.ClientError as error:
        raise _refused(what, error) from None
    except (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError, boto.ResponseStreamingError):
        raise _unreachable(what) from None
    except boto.BotoCoreError as error:
        raise _set_up_wrongly(what, error) from None
    except Boto3Error as error:  # a transfer that failed says why in what it was raised from
        refused = isinstance(error.__context__, boto.ClientError)
        raise (_refused(what, error.__context__) if refused else _unreachable(what)) from None


def ask(what: str, call: Callable[[], Answer], absent: Collection[str] = MISSING) -> Answer | None:
    """What AWS answers to one call, made to do `what`; None where the answer is one of the codes `absent`."""
    with calling(what):
        from botocore.exceptions import ClientError

        try:
            return call()
        except ClientError as error:
            if code_of(error) not in absent:
                raise
            return None


def code_of(error: Any) -> str:
    """The code of an answer."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", "unknown"))


def _unreachable(what: str) -> CouldNotFinish:
    return CouldNotFinish(
        f"AWS could not be reached to {what}. Check the network, the region (AWS_DEFAULT_REGION) and AWS_ENDPOINT_URL "
        "if it is set, and try again."
    )


def _set_up_wrongly(what: str, error: Exception) -> BadInput:
    reason = " ".join(str(error).split()).rstrip(".")
    return BadInput(
        f"AWS cannot be asked to {what} as it is set up here: {reason}. Expected: a region (AWS_DEFAULT_REGION), and "
        "credentials as for the AWS command line (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)."
    )


def _refused(what: str, error: Any) -> StediError:
    """What an answer of AWS means to the user: what was tried, and what to do."""
    code, operation = code_of(error), getattr(error, "operation_name", "a call")
    reads = "s3:ListBucket on the bucket and s3:GetObject on its objects"
    needed = reads if operation in _READING else f"the permission for {operation}"
    answers: tuple[tuple[tuple[str, ...], type[StediError], str], ...] = (
        (_DENIED, BadInput, f"these credentials may not. They need {needed}; the policy with all that a run needs is "
         "printed by: stedi iam-policy. Attach it, or use other credentials (AWS_PROFILE)."),
        (_EXPIRED, BadInput, "the credentials have expired. Renew them and try again."),
        (_UNKNOWN, BadInput, "it does not know the credentials. Check them (AWS_PROFILE), or renew them."),
        (_ELSEWHERE, BadInput, "it was asked in the wrong region. Set AWS_DEFAULT_REGION to the region of the bucket."),
        (MISSING, BadInput, "it does not exist. Check the name; a lakehouse is created by notebook 01."),
        (_BUSY, CouldNotFinish, f"AWS was too busy {_TRIES} times in a row. Try again later."),
        ((code,), CouldNotFinish, "it could not. Try again; what was published before stays."),
    )  # fmt: skip
    kind, advice = next((kind, advice) for codes, kind, advice in answers if code in codes)
    return kind(f"AWS was asked to {what} ({operation}: {code}), and {advice}")
