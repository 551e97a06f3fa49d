"""Billing in two processes, one that consumes and one that delivers: on a real broker."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pika  # noqa: TID251  A foreign client, to ask the broker what no service asks.
import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from infra.composition import topology
from infra.run.sockets import CannotRun
from infra.run.supervisor import Supervisor
from shared.base.errors import InfrastructureDown
from shared.host.role import Role
from shared.host.settings import Settings
from shared.messaging.bus import Outgoing
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.topology.declare import apply
from shared.notifications.tables import SENT, WAITING, Notification
from shared.persistence.database import Database
from shared.processing.store.tables import Outbox
from shared.processing.unit_of_work import UnitOfWork
from tests.integration.notifications.mailroom import Mailroom
from tests.servers.postgres import MakeDatabase
from tests.servers.premises import wait_until

GOLDEN = Path(__file__).parents[2] / "contract" / "golden" / "registration.completed.v1.json"
MAILS_EACH = 2
"""The confirmation to the payer, and the office's copy."""


class Billing:
    """Billing's place: its queue, its database, its folder of mails."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._database = Database(settings.database_url)

    def process(self, only: Role) -> Supervisor:
        return Supervisor(self.settings, ["billing"], only=only)

    def register(self, count: int) -> None:
        """So many customers were registered; their events are on billing's queue."""
        event = json.loads(GOLDEN.read_text())
        with closing(RabbitBus(self.settings.broker_url, queue=None, name="tests")) as bus:
            bus.open()
            registered = [
                event | {"id": str(uuid4()), "subject": str(uuid4())} for _ in range(count)
            ]
            bus.publish(
                [
                    Outgoing(
                        registration_id["id"],
                        registration_id["type"],
                        json.dumps(registration_id).encode(),
                        queue="billing",
                    )
                    for registration_id in registered
                ]
            ).result(30)

    def queue(self, name: str) -> Any:
        """The broker's count of a queue's messages and consumers."""
        parameters = pika.URLParameters(self.settings.broker_url)
        with closing(pika.BlockingConnection(parameters)) as connection:
            return connection.channel().queue_declare(name, passive=True).method

    def mails(self, status: str) -> int:
        return self._count(col(Notification.status) == status)

    def unpublished(self) -> int:
        return self._count(col(Outbox.published_at).is_(None))

    def files(self) -> list[str]:
        """The mails that left, by their key."""
        folder = self.settings.data_dir / "mail"
        return [path.stem.split("-", 2)[2] for path in folder.glob("*.eml")]

    def _count(self, condition: Any) -> int:
        with self._database.read() as session:
            return _count(session, condition)

    def close(self) -> None:
        self._database.close()


def _count(session: Session, condition: Any) -> int:
    return int(session.execute(select(func.count()).where(condition)).scalar_one())


@pytest.fixture
def billing(vhost: str, make_database: MakeDatabase, tmp_path: Path) -> Iterator[Billing]:
    settings = Settings(
        broker_url=vhost,
        database_url=make_database("billing"),
        data_dir=tmp_path,
        http_port=0,
    )
    apply(topology(settings), vhost)
    place = Billing(settings)
    yield place
    place.close()


def ready(process: Supervisor) -> Callable[[], bool]:
    """Whether it says of itself that it can work."""
    return lambda: httpx.get(f"{process.address}/readyz").status_code == 200


def test_one_process_consumes_and_another_delivers(billing: Billing) -> None:
    # Given customers that were registered, When a process runs that only consumes,
    billing.register(3)
    with billing.process(Role.CONSUME) as consuming:
        wait_until(lambda: billing.mails(WAITING) == 3 * MAILS_EACH, "the mails wait")
        wait_until(ready(consuming), "it is ready")
        # Then it sends none of the mails that follow: there is nobody in it who would.
        assert "billing-notifications" not in consuming.runtimes[0].at_work()
    assert billing.mails(SENT) == 0
    # When one runs that only delivers, and more customers are registered meanwhile,
    billing.register(2)
    with billing.process(Role.DELIVER) as delivering:
        wait_until(lambda: billing.mails(SENT) == 3 * MAILS_EACH, "the mails have left")
        # Then it sends them and has published that they left,
        wait_until(lambda: billing.queue("activation").message_count == 3, "it is said")
        wait_until(lambda: billing.unpublished() == 0, "it is marked as said")
        # and those customers' events lie where they are: nobody has even asked for them.
        waiting = billing.queue("billing")
        assert (waiting.message_count, waiting.consumer_count) == (2, 0)
        # It says honestly how it is, and answers nobody who wants something of billing.
        wait_until(ready(delivering), "it is ready")
        assert httpx.get(f"{delivering.address}/healthz").status_code == 200
        assert httpx.get(f"{delivering.address}/api/orders").status_code == 404


def test_several_of_each_side_by_side_send_each_mail_once(billing: Billing) -> None:
    # Given two processes that deliver and two that consume, When many are registered,
    with (
        billing.process(Role.DELIVER),
        billing.process(Role.DELIVER),
        billing.process(Role.CONSUME),
        billing.process(Role.CONSUME),
    ):
        billing.register(40)
        wait_until(lambda: billing.mails(SENT) == 40 * MAILS_EACH, "all mails have left")
    # Then each mail has left once.
    assert set(Counter(billing.files()).values()) == {1}
    assert len(billing.files()) == 40 * MAILS_EACH


def test_a_process_that_cannot_deliver_is_not_ready(tmp_path: Path) -> None:
    # Given a process that only delivers, and a database that takes no transaction,
    mailroom = Mailroom(f"sqlite:///{tmp_path}/mailroom.db", tmp_path, only=Role.DELIVER)
    mailroom.make_tables()
    transactions = mailroom.runtime.engine.transactions
    internal_transaction = transactions.internal_transaction

    def down() -> UnitOfWork:
        raise InfrastructureDown("away")

    transactions.internal_transaction = down  # type: ignore[method-assign,assignment]
    mailroom.runtime.tasks.notifications.start()
    # When somebody asks, Then it says so,
    wait_until(lambda: "delivery is paused" in mailroom.runtime.not_ready_reasons(), "it says so")
    # until it can deliver again.
    transactions.internal_transaction = internal_transaction  # type: ignore[method-assign]
    wait_until(lambda: not mailroom.runtime.not_ready_reasons(), "it is ready again")
    mailroom.close()


def test_the_embedded_default_does_all_of_its_work_in_one_process(tmp_path: Path) -> None:
    # Given no broker, When half of the work is asked for, Then a sentence says what to do.
    with pytest.raises(CannotRun, match="STAPPENPLAN_BROKER_URL"):
        Supervisor(Settings(data_dir=tmp_path), only=Role.DELIVER)
