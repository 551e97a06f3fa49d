"""Whatever comes over the wire is read, or refused with a reason: there is no third way."""

import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from infra.composition import build_services
from shared.base.errors import Malformed
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.messaging.rabbitmq import frames
from shared.messaging.rabbitmq.consuming import Consuming
from shared.messaging.rabbitmq.reconnecting_channel import parameters
from shared.processing.decoding import Decoder
from shared.processing.store import inbox
from tests.hostile.messages import MESSAGES, Hostile

READERS = [Decoder(one) for one in build_services(Settings())]


class Loop:
    """Does nothing later: the test does it by hand."""

    def call_later(self, _seconds: float, _work: Any) -> None: ...


def arrived(message: Hostile, *, last_resort: bool = False, redelivered: bool = False) -> Incoming:
    """The message as it comes out of the very code that reads it from the broker's bytes."""
    address = parameters("amqp://127.0.0.1/", heartbeat=15, name="x")
    made = Consuming(Loop(), [address], "x", "x", 10, last_resort=last_resort)
    channel = made._channel = object()
    delivery = frames.Delivery(1, redelivered, message.routing_key)
    head = struct.pack(">HHQ", 60, 0, len(message.body))
    delivery.take(frames.HEADER, head + message.properties)
    delivery.take(frames.BODY, message.body)
    made._delivered(channel, delivery)
    made._hand_over()
    (incoming,) = made.take(1)
    return incoming


def outcome(reader: Decoder, incoming: Incoming) -> str:
    """The fingerprint of what was read, or the reason why it was not."""
    try:
        return reader.read(incoming).envelope.digest()
    except Malformed as refusal:
        return str(refusal).strip()


@pytest.mark.parametrize("last_resort", [False, True])
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(message=MESSAGES)
def test_it_is_read_or_refused_with_a_reason(last_resort: bool, message: Hostile) -> None:
    # Given a message that nobody should send, or that the broker gave up
    incoming = arrived(message, last_resort=last_resort)
    for reader in READERS:
        # When each service reads it,
        # Then it says why it does not, or has it whole, with a fingerprint to know it by.
        assert outcome(reader, incoming)
    # And it can be kept for a person, and read again as it was kept.
    kept = inbox.keepsake(incoming)
    again = inbox.incoming_of(inbox.Inbox(id="x", type="x", digest="x", status="dead", **kept))
    assert again.body == message.body
