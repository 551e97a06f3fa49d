"""What happens to RabbitMQ must not happen to a customer: nothing is lost, nothing doubled."""

from collections.abc import Callable
from urllib.parse import urlsplit

from tests.faults.stage import Stage
from tests.servers.rabbitmq import RabbitMQ


def test_a_restart_of_the_broker(rabbitmq: RabbitMQ, stage: Stage, note: Callable) -> None:
    # When the broker is restarted in good order, under load
    remember_queues(rabbitmq)
    rabbitmq.restart()
    # Then everything goes on, and the books are in balance
    seconds = stage.recovered()
    note("broker restarted", stage.balance(), seconds)


def test_the_broker_is_killed(rabbitmq: RabbitMQ, stage: Stage, note: Callable) -> None:
    # When the broker is killed, under load
    remember_queues(rabbitmq)
    rabbitmq.kill()
    rabbitmq.start()
    # Then everything goes on, and the books are in balance
    seconds = stage.recovered()
    note("broker killed", stage.balance(), seconds)


def test_all_connections_are_closed_again_and_again(
    rabbitmq: RabbitMQ, stage: Stage, note: Callable
) -> None:
    # When the broker closes every connection, three times, under load
    for _ in range(3):
        rabbitmq.ctl("close_all_connections", "--vhost", vhost_of(stage), "test")
        stage.flowing(10)
    # Then everything goes on, and the books are in balance
    seconds = stage.recovered()
    note("all connections closed, three times", stage.balance(), seconds)


def remember_queues(rabbitmq: RabbitMQ) -> None:
    """Have the broker write to disk which queues it has: it takes its time for that by itself."""
    rabbitmq.ctl("eval", "[dets:sync(Table) || Table <- dets:all()].")


def vhost_of(stage: Stage) -> str:
    """The virtual host in which the services of this stage work."""
    return urlsplit(stage.settings.broker_url).path.removeprefix("/")
