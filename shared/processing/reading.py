"""From a message on the queue to a delivery for a handler, or a refusal with its reason."""

from collections.abc import Mapping
from datetime import datetime

from shared.envelope import Envelope, open_message
from shared.errors import Malformed
from shared.events.event import EVENTS
from shared.messaging.bus import Incoming
from shared.messaging.topology import ADMIN
from shared.processing.inbox import REFUSED
from shared.processing.messages import Delivery, Request
from shared.processing.service import Service

SOURCES = {"website": "/website/", "king-billing": "/king-billing"}
"""Which `source` an outside speaker bears; our own services bear `/services/<name>`."""


class Reader:
    """Reads messages for one service; what it does not hear, it refuses."""

    def __init__(self, service: Service, *, strict_publishers: bool = False) -> None:
        self._service = service
        self._strict = strict_publishers
        self._subscriptions = {one.type: one for one in service.subscriptions}

    def read(self, incoming: Incoming) -> Delivery:
        """Read a message from the broker.

        Raises:
            Malformed: it is no event, not for this service, or not said by whom it should be.
        """
        envelope = open_message(incoming)
        subscription = self._subscriptions.get(envelope.type)
        if subscription is None or not subscription.is_event:
            known = "is not heard by" if envelope.type in EVENTS else "is an event unknown to"
            raise Malformed(f"{envelope.type} {known} {self._service.name}")
        if incoming.routing_key not in (envelope.type, self._service.name):
            raise Malformed(
                f"the event says {envelope.type}, but it came by the routing key "
                f"{incoming.routing_key[:80]}"
            )
        self._vouch(envelope, incoming)
        return Delivery(envelope, subscription.read(envelope), incoming)

    def read_again(self, incoming: Incoming) -> Delivery:
        """Read a message, or a request for later, that the inbox kept.

        Raises:
            Malformed: it can no longer be read, e.g. after a person corrected it wrongly.
        """
        envelope = open_message(incoming)
        subscription = self._subscriptions.get(envelope.type)
        if subscription is None:
            raise Malformed(f"{envelope.type} is not heard by {self._service.name}")
        return Delivery(envelope, subscription.read(envelope), incoming)

    def read_kept(self, incoming: Incoming, key: str) -> Delivery:
        """Read what the inbox kept under `key`; what was refused is judged anew.

        So a person who retries a message that was said by the wrong speaker does not vouch for it.

        Raises:
            Malformed: it cannot be read, or is refused still.
        """
        return self.read(incoming) if key.startswith(REFUSED) else self.read_again(incoming)

    def request(
        self,
        request: Request,
        *,
        subject: str,
        request_id: str,
        source: str,
        time: datetime,
        cause: str | None = None,
    ) -> Delivery:
        """Put a request in an envelope, so that it is handled, kept and retried like an event."""
        envelope = Envelope(
            id=request_id,
            source=source,
            type=request.request_type,
            subject=subject,
            time=time,
            data=request.model_dump(mode="json"),
            causationid=cause,
        )
        incoming = Incoming(envelope.to_bytes(), request.request_type, message_id=request_id)
        return Delivery(envelope, request, incoming)

    def _vouch(self, envelope: Envelope, incoming: Incoming) -> None:
        """Only its owner may say an event; the broker vouches for `user_id`."""
        owner = EVENTS[envelope.type].said_by
        expected = SOURCES.get(owner, f"/services/{owner}")
        source = envelope.source
        if not (source == expected or (owner == "website" and source.startswith(expected))):
            raise Malformed(f"{envelope.type} is said by {owner}, not by {source[:80]}")
        if not self._strict:
            return
        user = _user_of(owner, envelope.data)
        # Only the administrator can put a message straight into a queue: a replay.
        replayed = incoming.user_id == ADMIN and incoming.routing_key == self._service.name
        if incoming.user_id != user and not replayed:
            said_by = incoming.user_id or "nobody"
            raise Malformed(f"{envelope.type} must be published by user {user}, not {said_by}")


def _user_of(owner: str, data: Mapping[str, object]) -> str:
    return f"website-{data.get('office_code')}" if owner == "website" else owner
