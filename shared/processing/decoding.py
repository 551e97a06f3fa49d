"""From a message on the queue to one for a handler, or a refusal with its reason.

Structured and binary mode come in, since some clients find one of the two easier (CloudEvents AMQP
protocol binding 1.0). Everything here refuses with `Malformed` and a sentence that says what to
correct.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.base.errors import Malformed
from shared.base.ids import read_uuid
from shared.base.media_types import is_json, media_type
from shared.events.envelope import (
    CONTENT_TYPE,
    MAX_BODY_BYTES,
    Envelope,
    parse,
    read_document,
    require_object,
)
from shared.events.event import EVENTS
from shared.messaging.bus import EXCHANGE, Incoming
from shared.processing.handlers.messages import Message
from shared.processing.handlers.registry import Subscription

BINARY_PREFIXES = ("cloudevents:", "cloudevents_", "ce-")
"""How the headers begin that bear attributes: as the AMQP protocol binding has them, in both its
spellings, and as the official SDK's RabbitMQ binding writes them; in small letters."""

BATCH = "application/cloudevents-batch+json"
"""Several events in one message, which none of them could be acknowledged by itself in."""


def _itself(owner: str) -> "Callable[[Mapping[str, object]], str]":
    return lambda _data: owner


@dataclass(frozen=True)
class Publisher:
    """By what the owner of an event is known.

    `source` is what its events bear as their source, or how that begins when it ends in a slash;
    `user` gives the broker's user that publishes an event with these data, and `exchange` the one
    that it publishes to. Where that is its own alone, `exchange_is_own`, no more is asked of it.
    """

    source: str
    user: Callable[[Mapping[str, object]], str]
    exchange: Callable[[Mapping[str, object]], str]
    exchange_is_own: bool = True

    @classmethod
    def service(cls, name: str) -> "Publisher":
        """One of our own services: its user bears its name, and they share an exchange."""
        return cls(f"/services/{name}", _itself(name), _itself(EXCHANGE), exchange_is_own=False)

    def bears(self, source: str) -> bool:
        """Whether a source is this publisher's."""
        return source == self.source or (
            self.source.endswith("/") and source.startswith(self.source)
        )


@dataclass(frozen=True)
class PublisherRules:
    """Who may say an event, and by what the broker vouches for it.

    `outside` are the publishers that are no services, by the name that owns their events. With
    `strict` an event must have come by its owner's exchange, and the broker's validated user, where
    it is set, must be the owner's; on the exchange that services share it must be set.
    `administrator` alone can put a message straight into a queue, which is a replay.
    """

    outside: Mapping[str, Publisher] = field(default_factory=dict)
    strict: bool = False
    administrator: str | None = None

    def owner_of(self, event_type: str) -> tuple[str, Publisher]:
        """Who owns an event: its name, and by what it is known."""
        owner = EVENTS[event_type].said_by
        return owner, self.outside.get(owner) or Publisher.service(owner)


class Decoder:
    """Decodes messages for one service; what it does not hear, it refuses."""

    def __init__(
        self, service: str, subscriptions: Sequence[Subscription], publishers: PublisherRules
    ) -> None:
        self._service = service
        self._publishers = publishers
        self._subscriptions = {line.type: line for line in subscriptions}

    def decode(self, incoming: Incoming) -> Message:
        """Decode a message from the broker.

        Raises:
            Malformed: it is no event, not for this service, or not said by whom it should be.
        """
        envelope = open_message(incoming)
        subscription = self._subscriptions.get(envelope.type)
        if subscription is None or not subscription.is_event:
            known = "is not heard by" if envelope.type in EVENTS else "is an event unknown to"
            raise Malformed(f"{envelope.type} {known} {self._service}")
        if incoming.routing_key not in (envelope.type, self._service):
            raise Malformed(
                f"the event says {envelope.type}, but it came by the routing key "
                f"{incoming.routing_key[:80]}"
            )
        self._check_publisher(envelope, incoming)
        return Message(envelope, subscription.read(envelope), incoming)

    def decode_stored(self, incoming: Incoming) -> Message:
        """Decode a message, or a command for later, that the inbox kept.

        Raises:
            Malformed: it can no longer be read, e.g. after a person corrected it wrongly.
        """
        envelope = open_message(incoming)
        subscription = self._subscriptions.get(envelope.type)
        if subscription is None:
            raise Malformed(f"{envelope.type} is not heard by {self._service}")
        return Message(envelope, subscription.read(envelope), incoming)

    def is_command(self, message_type: str) -> bool:
        """Whether the service says this to itself: nobody outside could say it again."""
        subscription = self._subscriptions.get(message_type)
        if subscription is None:
            return message_type not in EVENTS
        return not subscription.is_event

    def _check_publisher(self, envelope: Envelope, incoming: Incoming) -> None:
        """Only its owner may say an event; the broker vouches for exchange and user."""
        owner, publisher = self._publishers.owner_of(envelope.type)
        if not publisher.bears(envelope.source):
            raise Malformed(f"{envelope.type} is said by {owner}, not by {envelope.source[:80]}")
        if self._publishers.strict and not self._is_replay(incoming):
            self._require_no_forged_death(incoming)
            _require_exchange(envelope, incoming, publisher)
            _require_user(envelope, incoming, publisher)

    def _require_no_forged_death(self, incoming: Incoming) -> None:
        """Refuse what says in the broker's own header that it has died in this queue already.

        RabbitMQ before 4.0 would only count on in that entry, should it ever dead-letter this
        message, and so pass on whatever exchange its publisher wrote there.
        """
        deaths = incoming.headers.get("x-death")
        for death in deaths if isinstance(deaths, list) else ():
            if isinstance(death, Mapping) and death.get("queue") == self._service:
                raise Malformed(
                    f"it must come without the header x-death, which is the broker's: it says that "
                    f"it has died in {self._service}, where it is only now"
                )

    def _is_replay(self, incoming: Incoming) -> bool:
        """Whether the administrator has put it straight into the queue: nobody else may."""
        return (
            incoming.user_id == self._publishers.administrator
            and incoming.routing_key == self._service
            and not incoming.exchange
        )


def _require_exchange(envelope: Envelope, incoming: Incoming, publisher: Publisher) -> None:
    """Refuse what came by another exchange than its owner's."""
    exchange = publisher.exchange(envelope.data)
    if incoming.exchange not in (exchange, None):
        came_by = f"by {incoming.exchange[:80]}" if incoming.exchange else "straight to the queue"
        raise Malformed(f"{envelope.type} must come by the exchange {exchange[:80]}, not {came_by}")


def _require_user(envelope: Envelope, incoming: Incoming, publisher: Publisher) -> None:
    """Refuse what another user published; who has an exchange of its own need not say so.

    Of what an earlier version kept, nobody knows the exchange: its user had to be set.
    """
    need_not_say = publisher.exchange_is_own and incoming.exchange is not None
    user = publisher.user(envelope.data)
    if incoming.user_id != user and not (incoming.user_id is None and need_not_say):
        said_by = incoming.user_id or "nobody"
        raise Malformed(f"{envelope.type} must be published by user {user}, not {said_by}")


def open_message(incoming: Incoming) -> Envelope:
    """The envelope of an incoming message, structured or binary.

    Raises:
        Malformed: it is no CloudEvent that we can read; the text says what to correct.
    """
    if incoming.damage is not None:
        raise Malformed(incoming.damage)
    if len(incoming.body) > MAX_BODY_BYTES:
        raise Malformed(
            f"the body has {len(incoming.body)} bytes; an event has at most {MAX_BODY_BYTES}"
        )
    envelope = read_document(_attributes(incoming, media_type(incoming.content_type)))
    _require_agreement("message_id", incoming.message_id, "id", envelope.id)
    _require_agreement("type", incoming.type, "type", envelope.type)
    return envelope


def _attributes(incoming: Incoming, content_type: str) -> dict[str, Any]:
    """The event's attributes and data, from its body alone or from headers and body."""
    says_json = is_json(content_type) or not content_type
    binary = _binary_attributes(incoming.headers) if content_type != CONTENT_TYPE else {}
    # Without a version its headers are no event's: somebody's tracing may add one to a document.
    if says_json and "specversion" in binary:
        return {**binary, "data": parse(incoming.body)}
    if says_json and content_type != BATCH:
        # Simple clients send the structured document as plain JSON, or name no type at all.
        return require_object(parse(incoming.body), "the event")
    raise Malformed(
        f"content type {content_type[:80]!r} is not understood; send {CONTENT_TYPE}, or "
        "application/json with the attributes as cloudEvents: headers"
    )


def _binary_attributes(headers: Mapping[str, object]) -> dict[str, Any]:
    """The attributes among the headers, whichever way and case their prefix is written in.

    Raises:
        Malformed: one is there twice, with different values.
    """
    attributes: dict[str, Any] = {}
    for header, value in headers.items():
        name = _attribute_name(header)
        if name is None:
            continue
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        # By how they are written: a number that is none is unlike itself, or is not to be compared.
        if repr(attributes.setdefault(name, text)) != repr(text):
            raise Malformed(f"two headers for the attribute {name[:80]} differ; send one")
    return attributes


def _attribute_name(header: str) -> str | None:
    """The attribute that a header bears; names of attributes are in small letters."""
    lower = header.lower()
    return next((lower.removeprefix(p) for p in BINARY_PREFIXES if lower.startswith(p)), None)


def _require_agreement(prop: str, given: str | None, attribute: str, value: str) -> None:
    same = given is None or given.lower() == value.lower() or read_uuid(given) == value
    if not same:
        raise Malformed(f"the AMQP property {prop} and the event's {attribute} differ")
