"""What the two AWS senders share: a client made once, and errors told apart."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from traceback import walk_tb
from typing import Any

from shared.notifications.senders.protocol import (
    PerhapsTaken,
    ProviderUnavailable,
    SendFailed,
    Undeliverable,
)

CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 20

ACCOUNT_ERROR_CODES = frozenset(
    {
        "KMSThrottling",
        "LimitExceededException",
        "RequestExpired",
        "SendingPausedException",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""They speak of our account, not of the message: they pass, or a person mends it."""

ACCOUNT_ERROR_STATUSES = frozenset({401, 403, 429})
"""401 and 403 speak of our keys, not of the message: it can leave once they are mended."""

SERVICE_ERROR_CODES = frozenset(
    {"InternalError", "InternalFailure", "RequestTimeout", "ServiceUnavailable"}
)
"""They speak of a service in trouble, as every status from 500 on does."""


class AwsClient:
    """One service of AWS, its client made at first use and shared by all threads.

    Region, keys and `AWS_ENDPOINT_URL` are boto3's own settings.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._client: Any = None

    def get(self) -> Any:
        """The client; importing boto3 takes a while, so it waits for the first message."""
        with self._lock:
            if self._client is None:
                import boto3  # noqa: TID251 - the senders' one door to AWS.
                from botocore.config import Config

                # The notification sender retries, and composes anew each time: a retry in here
                # would send the same password twice.
                config = Config(
                    connect_timeout=CONNECT_TIMEOUT_SECONDS,
                    read_timeout=READ_TIMEOUT_SECONDS,
                    retries={"total_max_attempts": 1},
                )
                session: Any = boto3.session.Session()
                self._client = session.client(self._service, config=config)
            return self._client


@contextmanager
def translate_aws_errors() -> Iterator[None]:
    """Turn what botocore raises into errors of our own.

    Raises:
        SendFailed: the service is in trouble, or broke off before it had the request.
        PerhapsTaken: it had the request, and gave no answer.
        ProviderUnavailable: throttled, unreachable, paused, or our keys are not accepted.
        Undeliverable: the service refuses this message.
    """
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        HTTPClientError,
        ParamValidationError,
    )

    try:
        yield
    except ClientError as error:
        raise _classify(error.response) from None
    except ParamValidationError:
        # Its message repeats the parameters, thus perhaps the text.
        raise Undeliverable("the request is not valid") from None
    except HTTPClientError as error:
        # It was reached, and gave no answer: it may have choked on this very message.
        name = type(error).__name__
        if _waited_for_answer(error):
            raise PerhapsTaken(
                f"it may have arrived: the service had all of it and gave no answer ({name})"
            ) from None
        raise SendFailed(name) from None
    except BotoCoreError as error:
        raise ProviderUnavailable(type(error).__name__) from None


def _waited_for_answer(error: BaseException | None) -> bool:
    """Whether it broke where the request had been sent.

    botocore has one name for that and for a TLS handshake that broke, after which nothing was sent.
    So what Python was at says it: `getresponse` is called once the whole request has gone out.
    """
    while error is not None:
        for frame, _ in walk_tb(error.__traceback__):
            if frame.f_code is HTTPConnection.getresponse.__code__:
                return True
        error = error.__cause__ or error.__context__
    return False


def _classify(response: Any) -> SendFailed | Undeliverable:
    error = response.get("Error", {})
    code = str(error.get("Code", "Unknown"))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if code in ACCOUNT_ERROR_CODES or status in ACCOUNT_ERROR_STATUSES:
        return ProviderUnavailable(code)
    if code in SERVICE_ERROR_CODES or status >= 500:
        return SendFailed(code)
    return Undeliverable(f"{code}: {error.get('Message', '')}")
