"""The brokers that the suite runs over."""

from collections.abc import Iterator

import pytest

from tests.integration.bus.buses import Buses, EmbeddedBuses, RabbitBuses


@pytest.fixture(params=["embedded", "rabbitmq"])
def buses(request: pytest.FixtureRequest) -> Iterator[Buses]:
    """Each broker in turn, with the topology in it."""
    if request.param == "embedded":
        opener: Buses = EmbeddedBuses()
    else:
        opener = RabbitBuses(request.getfixturevalue("vhost"))
    yield opener
    opener.close()


@pytest.fixture
def rabbit(vhost: str) -> Iterator[RabbitBuses]:
    """RabbitMQ alone, for what only a real broker can do."""
    opener = RabbitBuses(vhost)
    yield opener
    opener.close()
