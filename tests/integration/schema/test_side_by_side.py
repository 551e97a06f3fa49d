"""Two versions process one queue on one database: during a rollout, and after a rollback."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from infra.composition import build_service, topology
from infra.run.supervisor import Supervisor
from shared.host.service import Service
from shared.host.settings import Settings
from shared.messaging.bus import Outgoing, PublishResult
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.topology.declare import apply
from shared.notifications.tables import SENT, Notification
from shared.persistence.database import Database
from shared.processing.store.tables import DONE, Inbox
from tests.integration.plans.stock import golden
from tests.integration.schema.histories import Release, with_newer
from tests.servers.postgres import MakeDatabase
from tests.servers.premises import wait_until

TODAY = build_service("billing", Settings()).migrations
ADDS = (
    'op.add_column("{0}", sa.Column("later", sa.Text(), nullable=False, server_default="new"));'
    ' op.create_index("{0}_later", "{0}", ["later"])'
)
"""What CONTRIBUTING allows: nothing that a version beside it would have to know."""
MAILS_EACH = 2
"""The confirmation to the payer, and the office's copy."""


class Billing:
    """Billing's queue and database, and its processes of two versions."""

    def __init__(self, settings: Settings, later: Release) -> None:
        self.settings = settings
        self._later = later
        self._database = Database(settings.database_url)
        self._registered = 0

    @contextmanager
    def process(self) -> Iterator[None]:
        """A process of this version."""
        with Supervisor(self.settings, ["billing"]):
            yield

    @contextmanager
    def process_of_later(self) -> Iterator[None]:
        """A process of a later version: it brings migrations that this one has never seen."""
        with ExitStack() as stack:
            with self._later.installed() as its, patch.object(Service, "migrations", its):
                stack.enter_context(Supervisor(self.settings, ["billing"]))
            yield

    def register(self, count: int) -> None:
        """So many customers are registered: all of them have their mails, once, soon after."""
        self._registered += count
        example = golden("registration.completed.v1")
        events = [example | {"id": str(uuid4()), "subject": str(uuid4())} for _ in range(count)]
        with closing(RabbitBus(self.settings.broker_url, queue=None, name="tests")) as bus:
            bus.open()
            messages = [
                Outgoing(event["id"], event["type"], json.dumps(event).encode(), queue="billing")
                for event in events
            ]
            results = bus.publish(messages).result(30)
        assert results == [PublishResult.CONFIRMED] * count
        wait_until(lambda: self.mails() == self._registered * MAILS_EACH, "their mails have left")
        assert self.done() == self._registered

    def done(self) -> int:
        """How many registrations it has taken in, for good."""
        taken = col(Inbox.status) == DONE, col(Inbox.type) == "registration.completed.v1"
        with self._database.read() as session:
            return int(session.execute(select(func.count()).where(*taken)).scalar_one())

    def mails(self) -> int:
        """How many mails it has sent."""
        sent = col(Notification.status) == SENT
        with self._database.read() as session:
            return int(session.execute(select(func.count()).where(sent)).scalar_one())

    def close(self) -> None:
        self._database.close()


@pytest.fixture
def billing(vhost: str, make_database: MakeDatabase, tmp_path: Path) -> Iterator[Billing]:
    settings = Settings(
        broker_url=vhost, database_url=make_database("billing"), data_dir=tmp_path, http_port=0
    )
    apply(topology(settings), vhost)
    inbox, orders = (with_newer(ADDS.format(table)) for table in ("inbox", "customer_order"))
    later = Release(tmp_path / "later", TODAY, shared=inbox, own=orders)
    with closing(Billing(settings, later)) as place:
        yield place


def test_two_versions_work_side_by_side_and_the_earlier_one_goes_on_alone(
    billing: Billing,
) -> None:
    # Given this version at work, When a process of a later one starts beside it, and migrates,
    with billing.process():
        billing.register(2)
        with billing.process_of_later():
            # Then the two of them take in what comes, each message once.
            billing.register(40)
        # When the later version is taken away again, Then this one goes on,
        billing.register(2)
    # and so does one that is started now: a rollback.
    with billing.process():
        billing.register(2)
    # When the later version comes back, Then it finds nothing amiss.
    with billing.process_of_later():
        billing.register(2)
