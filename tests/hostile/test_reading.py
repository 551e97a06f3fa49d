"""Whatever comes over the wire is read, or refused with a reason: there is no third way."""

import struct
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings

from infra.composition import decoder, service_names
from shared.base.errors import Malformed
from shared.host.settings import Settings
from shared.messaging.batches import BatchBuffer, Room
from shared.messaging.bus import Incoming
from shared.messaging.in_hand import BytesInHand
from shared.messaging.rabbitmq import frames
from shared.messaging.rabbitmq.consumer import QueueConsumer
from shared.messaging.rabbitmq.outage_log import OutageLog
from shared.messaging.rabbitmq.reconnecting_channel import Endpoint, connection_parameters
from shared.processing.decoding import Decoder
from shared.processing.store.kept_messages import to_columns, to_incoming
from shared.processing.store.tables import Inbox
from tests.hostile.messages import MESSAGES, Hostile

DECODERS = [decoder(Settings(), name) for name in service_names()]


def arrived(message: Hostile, *, dead_letters: bool = False, redelivered: bool = False) -> Incoming:
    """The message as it comes out of the very code that reads it from the broker's bytes."""
    address = connection_parameters("amqp://127.0.0.1/", heartbeat=15, name="x")
    buffer, in_hand = BatchBuffer(), BytesInHand()
    endpoint = Endpoint(SimpleNamespace(), [address], "x", OutageLog(None))
    consumer = QueueConsumer(endpoint, "x", 10, buffer, in_hand, dead_letters=dead_letters)
    when_read: list[Callable[[], None]] = []
    connection = SimpleNamespace(when_read=when_read.append)
    channel = consumer._channel = SimpleNamespace(is_open=True, connection=connection)
    delivery = frames.RawDelivery(1, redelivered, message.routing_key)
    head = struct.pack(">HHQ", 60, 0, len(message.body))
    delivery.add_frame(frames.HEADER, head + message.properties)
    delivery.add_frame(frames.BODY, message.body)
    consumer._on_delivery(channel, delivery)
    when_read[0]()
    (incoming,) = consumer.take(Room(1))
    return incoming


def outcome(service: Decoder, incoming: Incoming) -> str:
    """The fingerprint of what was read, or the reason why it was not."""
    try:
        return service.decode(incoming).envelope.digest()
    except Malformed as refusal:
        return str(refusal).strip()


@pytest.mark.parametrize("dead_letters", [False, True])
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(message=MESSAGES)
def test_it_is_read_or_refused_with_a_reason(dead_letters: bool, message: Hostile) -> None:
    # Given a message that nobody should send, or that the broker gave up
    incoming = arrived(message, dead_letters=dead_letters)
    for service in DECODERS:
        # When each service reads it,
        # Then it says why it does not, or has it whole, with a fingerprint to know it by.
        assert outcome(service, incoming)
    # And it can be kept for a person, and read again as it was kept.
    columns = to_columns(incoming)
    again = to_incoming(Inbox(id="x", type="x", digest="x", status="dead", **columns))
    assert again.body == message.body
