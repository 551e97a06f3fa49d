"""Values that were signed here, and until when they hold."""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.base.errors import StappenplanError

MAC_BYTES = 18
"""144 bits of HMAC with SHA-256: nobody guesses them, and they need no padding in base64."""
MAX_CHARACTERS = 2_000
MILLISECONDS = 1_000


class Invalid(StappenplanError):
    """It was not signed here, or for something else, or it was changed."""


class Expired(StappenplanError):
    """It was signed here, and its time is over; `signed` is what it said."""

    def __init__(self, signed: "Signed") -> None:
        super().__init__("its time is over")
        self.signed = signed


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed: `claims` by their names, when, and until when it holds."""

    claims: Mapping[str, str]
    issued_at: datetime
    expires_at: datetime


class Signer:
    """Signs under the first of the keys; reads what any of them signed.

    What is signed for one `purpose` is of no use for another.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        # What signs bearer tokens signs nothing else: this key is only derived from it.
        self._keys = [hmac.digest(key.encode(), b"stappenplan links", "sha256") for key in keys]

    def sign(
        self, purpose: str, claims: Mapping[str, str], *, now: datetime, until: datetime
    ) -> str:
        """A token of characters that may stand in an address, or in a cookie."""
        body = json.dumps(
            [claims, _milliseconds(now), _milliseconds(until)],
            separators=(",", ":"),
            ensure_ascii=False,
        ).encode()
        return f"{_encode(body)}.{_encode(self._mac(self._keys[0], purpose, body))}"

    def read(self, purpose: str, token: str, now: datetime) -> Signed:
        """What a token says.

        Raises:
            Invalid: it was not signed here for this purpose.
            Expired: its time is over.
        """
        signed = self._verified(purpose, token)
        if now >= signed.expires_at:
            raise Expired(signed)
        return signed

    def _verified(self, purpose: str, token: str) -> Signed:
        encoded, _, mac = token.partition(".")
        if len(token) > MAX_CHARACTERS:
            raise Invalid("too long")
        try:
            body, given = _decode(encoded), _decode(mac)
        except (ValueError, binascii.Error):
            raise Invalid("not a token") from None
        # A second spelling of the same token would be a way around a list of used ones.
        canonical = _encode(body) == encoded and _encode(given) == mac
        if not canonical or not any(
            hmac.compare_digest(given, self._mac(key, purpose, body)) for key in self._keys
        ):
            raise Invalid("not signed here for this")
        claims, issued, expires = json.loads(body)
        return Signed(claims, _moment(issued), _moment(expires))

    @staticmethod
    def _mac(key: bytes, purpose: str, body: bytes) -> bytes:
        return hmac.digest(key, purpose.encode() + b"\0" + body, "sha256")[:MAC_BYTES]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * MILLISECONDS)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / MILLISECONDS, UTC)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
