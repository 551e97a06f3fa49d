"""How often the confirmations of many orders ask the database, and how often they are made."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event as engine_event

from infra.composition import publisher_rules
from services.billing.confirmation import document
from services.billing.service import build
from shared.events import OnboardingWithdrawn
from shared.events.envelope import CONTENT_TYPE, Envelope
from shared.events.event import Event
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.notifications.senders.outgoing import Email, OutgoingMessage
from shared.notifications.senders.protocol import Senders
from shared.persistence.schema import upgrade
from shared.processing.testing import MONDAY, RecordingBus, onboarding
from tests.unit.billing.builders import registration

ORDERS = 5


class Mailbox:
    """Takes every mail."""

    def __init__(self) -> None:
        self.mails: list[Email] = []

    def send(self, message: OutgoingMessage) -> str:
        assert isinstance(message, Email)
        self.mails.append(message)
        return f"provider-{len(self.mails)}"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def billing(tmp_path: Path, mailbox: Mailbox) -> Iterator[Runtime]:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/billing.db", data_dir=tmp_path)
    runtime = Runtime(
        build(settings),
        settings,
        RecordingBus(),
        Senders(mailbox, mailbox),
        publisher_rules(settings),
        lambda: MONDAY,
    )
    upgrade(runtime.database, runtime.service.migrations)
    yield runtime
    runtime.stop()


def hear(runtime: Runtime, event: Event, customer: str) -> None:
    data = event.model_dump(mode="json", exclude_none=True)
    source, subject = f"/services/{event.said_by}", onboarding(customer)
    envelope = Envelope(str(uuid4()), source, event.event_type, subject, MONDAY, data)
    runtime.engine.take([Incoming(envelope.to_bytes(), event.event_type, CONTENT_TYPE)])


def test_the_mails_of_many_orders_read_them_in_one_statement_and_make_each_document_once(
    billing: Runtime, mailbox: Mailbox
) -> None:
    # Given orders that are placed, one of which is withdrawn before its mails have left,
    for number in range(ORDERS + 1):
        hear(billing, registration(company=f"Bakkerij {number}"), f"bakkerij {number}")
    hear(billing, OnboardingWithdrawn(reason="changed my mind", by="anna"), f"bakkerij {ORDERS}")
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: Any) -> None:
        asked.append(statement)

    engine_event.listen(billing.database.engine, "before_cursor_execute", note)
    document.render_pdf.cache_clear()
    # When their mails are sent,
    billing.sender.deliver_due()
    # Then the orders were read in one statement with their mandates,
    of_orders = [one for one in asked if "customer_order" in one or "mandate" in one]
    assert len(of_orders) == 1
    # and payer and office have the same document of each that is not withdrawn, made once.
    confirming = [mail for mail in mailbox.mails if mail.attachments]
    assert len(confirming) == 2 * ORDERS
    assert len({mail.attachments[0].content for mail in confirming}) == ORDERS
    assert document.render_pdf.cache_info().misses == ORDERS
