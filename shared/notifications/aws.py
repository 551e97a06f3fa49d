"""What the two AWS senders share: a client made once, and errors told apart."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.notifications.senders import SendFailed, SendRefused, SentAway

CONNECT_SECONDS = 5
READ_SECONDS = 20

SENT_AWAY = frozenset(
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
"""Error codes that speak of our account: they pass, or a person mends it."""

BROKEN = frozenset({"InternalError", "InternalFailure", "RequestTimeout", "ServiceUnavailable"})
"""Error codes of a service in trouble."""


class AwsClient:
    """One service of AWS, its client made at first use and shared by all threads.

    Region, keys and `AWS_ENDPOINT_URL` are boto3's own settings.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._client: Any = None

    def get(self) -> Any:
        """The client; importing boto3 takes a while, so it waits for the first letter."""
        with self._lock:
            if self._client is None:
                import boto3  # noqa: TID251 - the senders' one door to AWS.
                from botocore.config import Config

                # The postman retries, and composes anew each time: a retry in here would send
                # the same password twice.
                config = Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS,
                    retries={"total_max_attempts": 1},
                )
                session: Any = boto3.session.Session()
                self._client = session.client(self._service, config=config)
            return self._client


@contextmanager
def told_apart() -> Iterator[None]:
    """Turn what botocore raises into `SendFailed` or `SendRefused`."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        HTTPClientError,
        ParamValidationError,
    )

    try:
        yield
    except ClientError as error:
        raise _judged(error.response) from None
    except ParamValidationError:
        # Its message repeats the parameters, thus perhaps the text.
        raise SendRefused("the request is not valid") from None
    except HTTPClientError as error:
        # It was reached, and gave no answer: it may have choked on this very letter.
        raise SendFailed(type(error).__name__) from None
    except BotoCoreError as error:
        raise SentAway(type(error).__name__) from None


def _judged(response: Any) -> SendFailed | SendRefused:
    code = str(response.get("Error", {}).get("Code", "Unknown"))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    # 401 and 403 speak of our keys, not of the letter: it can leave once they are mended.
    if code in SENT_AWAY or status in (401, 403, 429):
        return SentAway(code)
    if code in BROKEN or status >= 500:
        return SendFailed(code)
    return SendRefused(f"{code}: {response.get('Error', {}).get('Message', '')}")
