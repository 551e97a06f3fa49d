"""What a test does at a broker by itself, past any bus of the product."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pika  # noqa: TID251  A foreign client, to do what no service may.

from shared.messaging.bus import EXCHANGE
from tests.integration.bus.buses import SUBMITTED, RabbitBuses

RECOVERED = 15.0
"""Seconds within which a bus is connected again once its broker is."""


def vhost_of(rabbit: RabbitBuses) -> str:
    """The name of its virtual host."""
    return urlsplit(rabbit.url).path.removeprefix("/")


def open_channel(url: str) -> "pika.adapters.blocking_connection.BlockingChannel":
    """A channel of a foreign client."""
    return pika.BlockingConnection(pika.URLParameters(url)).channel()


def with_room_for_one(
    rabbit: RabbitBuses,
) -> "pika.adapters.blocking_connection.BlockingChannel":
    """Make signup's queue anew, so that it refuses a second message; returns a channel to it."""
    channel = open_channel(rabbit.url)
    channel.queue_delete("signup")
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    channel.queue_declare("signup", durable=True, arguments=arguments)
    channel.queue_bind("signup", EXCHANGE, SUBMITTED)
    return channel


def events(logs: Sequence[Any]) -> list[object]:
    """What has been logged, by its names."""
    return [entry["event"] for entry in logs]


def messages_ready(rabbit: RabbitBuses, queue: str) -> int:
    """How many messages are in a queue and in nobody's hands."""
    channel = open_channel(rabbit.url)
    number = channel.queue_declare(queue, passive=True).method.message_count
    channel.connection.close()
    return int(number)
