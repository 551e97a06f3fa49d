"""The envelope of a message (CloudEvents 1.0), to and from a structured-mode document.

Everything here refuses with `Malformed` and a sentence that says what to correct.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from shared.base.errors import Malformed
from shared.base.ids import read_uuid
from shared.base.media_types import is_json, media_type
from shared.base.moments import NotAMoment, read_moment
from shared.base.text import HIDDEN

CONTENT_TYPE = "application/cloudevents+json"
NAMESPACE = UUID("6d0ee6f8-8f0e-5e8e-9d4b-2f6f5b1c7a10")
"""Outgoing ids are derived in this namespace, so that saying a thing again says the same."""

MAX_BODY_BYTES = 1024 * 1024
"""No event is larger; RabbitMQ 4 refuses above 16 MiB, which is far more than a fact needs."""
MAX_TEXT = 255
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


class Envelope(NamedTuple):
    """Who says what about whom, and when.

    `subject` is the onboarding id, `causationid` the id of the message that led to this one,
    `data` the event's fields as they travel, `actor` the person whose request led to it, if it
    was a person's.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any] = {}
    causationid: str | None = None
    traceparent: str | None = None
    actor: str | None = None

    def to_bytes(self) -> bytes:
        """The structured-mode JSON document."""
        return to_json(self._document() | {"data": self.data})

    def to_bytes_with(self, fact: BaseModel) -> bytes:
        """The structured-mode JSON document with a fact inside, written in one go.

        A fact's empty fields are left out; what somebody else wrote (`data`) stays as it is.
        """
        return to_json(self._document() | {"data": fact}, exclude_none=True)

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time.astimezone(UTC),
            "datacontenttype": "application/json",
        }
        if self.causationid:
            document["causationid"] = self.causationid
        if self.traceparent:
            document["traceparent"] = self.traceparent
        if self.actor:
            document["actor"] = self.actor
        return document

    def digest(self) -> str:
        """A fingerprint of the contents: equal for equal facts, however they were written."""
        contents = [self.type, self.subject, self.data]
        return hashlib.sha256(CANONICAL(contents).encode("utf-8", "surrogatepass")).hexdigest()


def derived_id(service: str, cause: str, position: int | str) -> str:
    """The id of what `service` says as its `position`th word upon message `cause`.

    It is `uuid5(NAMESPACE, …)` (RFC 9562, 5.5), spelled out since two are made for each message:
    the version stands in the 13th digit, the variant in the upper two bits of the 17th.
    """
    name = NAMESPACE.bytes + f"{service}/{cause}/{position}".encode()
    told = hashlib.sha1(name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(told[16], 16) & 3]
    return f"{told[:8]}-{told[8:12]}-5{told[13:16]}-{variant}{told[17:20]}-{told[20:32]}"


def read_document(document: Mapping[str, Any]) -> Envelope:
    """Read the envelope of a structured-mode document that is already parsed.

    Raises:
        Malformed: an attribute is missing or wrong.
    """
    if document.get("specversion") != "1.0":
        raise Malformed("specversion must be the text '1.0'")
    if document.get("data_base64") is not None:
        raise Malformed("data_base64 is not understood; put the fields in data, as JSON")
    _require_json(document.get("datacontenttype"))
    return Envelope(
        id=_uuid(document, "id"),
        source=_text(document, "source"),
        type=_text(document, "type"),
        subject=_uuid(document, "subject"),
        time=_moment(document.get("time")),
        data=require_object(document.get("data"), "data"),
        causationid=_cause(document),
        traceparent=_optional(document, "traceparent"),
        actor=_optional(document, "actor"),
    )


def _require_json(content_type: object) -> None:
    """Refuse data that say they are something else; what says nothing is JSON.

    An event in JSON is no data in JSON: it would be an envelope inside an envelope.
    """
    media = media_type(content_type)
    is_event = media.startswith("application/cloudevents")
    if content_type is not None and (is_event or not is_json(media)):
        raise Malformed(
            "datacontenttype must be application/json, or another JSON type such as "
            "application/vnd.example+json"
        )


def parse(body: bytes) -> Any:
    """Read JSON as strictly as it is stored: nothing in it that a database or reader cannot take.

    Raises:
        Malformed: it is no JSON in UTF-8, nested too deeply, or holds NUL or half a character.
    """
    try:
        parsed = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Malformed(f"the body is not valid JSON in UTF-8: {error}") from None
    if b"u0000" in body and _has_nul(parsed):
        raise Malformed("the body holds a NUL character, which no field may")
    return parsed


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _has_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(_has_nul(item) for item in value)
    return False


def require_object(value: Any, what: str) -> dict[str, Any]:
    """The value, which must be a JSON object.

    Raises:
        Malformed: it is something else.
    """
    if not isinstance(value, dict):
        raise Malformed(f"{what} must be a JSON object")
    return value


def _text(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name)
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT:
        raise Malformed(f"{name} must be a text of 1 to {MAX_TEXT} characters")
    if not (value.isascii() and value.isprintable()) and HIDDEN.search(value):
        raise Malformed(f"{name} holds a control character")
    return value


def _optional(attributes: Mapping[str, Any], name: str) -> str | None:
    return None if attributes.get(name) is None else _text(attributes, name)


def _uuid(attributes: Mapping[str, Any], name: str) -> str:
    read = read_uuid(_text(attributes, name))
    if read is None:
        raise Malformed(f"{name} must be a UUID")
    return read


def _cause(attributes: Mapping[str, Any]) -> str | None:
    """The id of another event, in the form in which that one is known; or whatever it is."""
    text = _optional(attributes, "causationid")
    return text and (read_uuid(text) or text)


def _moment(value: object) -> datetime:
    """RFC 3339 with an offset; AMQP timestamps arrive as datetimes without one, in UTC."""
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    try:
        return read_moment(value)
    except NotAMoment as refusal:
        raise Malformed(f"time cannot be read: {refusal}") from None
