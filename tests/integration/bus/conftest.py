"""The brokers that the suite runs over."""

from collections.abc import Iterator

import pytest

from tests.integration.bus.exchanges import EmbeddedExchange, Exchange, RabbitExchange


@pytest.fixture(params=["embedded", "rabbitmq"])
def exchange(request: pytest.FixtureRequest) -> Iterator[Exchange]:
    """Each broker in turn, with the topology in it."""
    if request.param == "embedded":
        made: Exchange = EmbeddedExchange()
    else:
        made = RabbitExchange(request.getfixturevalue("vhost"))
    yield made
    made.close()


@pytest.fixture
def rabbit(vhost: str) -> Iterator[RabbitExchange]:
    """RabbitMQ alone, for what only a real broker can do."""
    made = RabbitExchange(vhost)
    yield made
    made.close()
