"""What is believed of the header `x-death`: RabbitMQ writes it, and others can before it."""

from typing import Any

import pytest

from shared.messaging.bus import Incoming
from shared.messaging.rabbitmq.x_death import read_x_death

DEATH = {
    "count": 1,
    "exchange": "stappenplan.website.0042",
    "queue": "signup",
    "reason": "delivery_limit",
    "routing-keys": ["signup.submitted.v1"],
}


def dead(*entries: Any) -> Incoming:
    return Incoming(b"{}", "signup.dead", exchange="", headers={"x-death": list(entries)})


def test_it_came_by_the_exchange_that_the_broker_says() -> None:
    # Given a message that the broker has dead-lettered, When the header is read,
    incoming = read_x_death(dead(DEATH))
    # Then it is as it was published.
    assert incoming.exchange == "stappenplan.website.0042"
    assert incoming.routing_key == "signup.submitted.v1"
    assert dict(incoming.headers) == {}


@pytest.mark.parametrize(
    "entries",
    [
        (DEATH, DEATH | {"exchange": "stappenplan.website.0077"}),
        (DEATH | {"count": 2},),
        (DEATH | {"count": None},),
        ({key: value for key, value in DEATH.items() if key != "count"},),
        (DEATH | {"exchange": 7},),
        ("not as the broker writes it",),
        (),
    ],
)
def test_what_its_publisher_may_have_written_says_nothing_of_the_exchange(
    entries: tuple[Any, ...],
) -> None:
    assert read_x_death(dead(*entries)).exchange == ""
