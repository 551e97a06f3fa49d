"""A confirmation that does not reach its payer: a person hears of it the same day."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col
from structlog.testing import capture_logs

from infra.composition import publisher_rules
from services.billing.confirmation import document
from services.billing.mails import REMINDER
from services.billing.service import build
from shared.events import OnboardingWithdrawn, RegistrationCompleted
from shared.events.envelope import CONTENT_TYPE, Envelope
from shared.events.event import Event
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.notifications.messages import Mail
from shared.notifications.queue import enqueue
from shared.notifications.senders.outgoing import Email, OutgoingMessage
from shared.notifications.senders.protocol import Senders, Undeliverable
from shared.notifications.tables import FAILED, SENT, Notification
from shared.persistence.schema import upgrade
from shared.processing.effects import CausedEffect
from shared.processing.testing import MONDAY, RecordingBus, onboarding
from tests.unit.billing.builders import registration

PAYER, OFFICE = "klant@bakkerij.example", "0042@kantoor.example"
NAME = "Bakkerij Voorbeeld"


def refuse(*_: object, **_options: object) -> bytes:
    """A compiler that refuses everything, and quotes it."""
    raise RuntimeError(f'the text `"{NAME}"` could not be displayed')


class Billing:
    """One process of billing, its mails kept here; some addresses take none."""

    def __init__(self, folder: Path) -> None:
        self.now = MONDAY
        self.refusing: set[str] = set()
        self.sent: list[Email] = []
        settings = Settings(database_url=f"sqlite:///{folder}/billing.db", data_dir=folder)
        self.runtime = Runtime(
            build(settings),
            settings,
            RecordingBus(),
            Senders(self, self),
            publisher_rules(settings),
            lambda: self.now,
        )
        upgrade(self.runtime.database, self.runtime.service.migrations)

    def send(self, message: OutgoingMessage) -> str:
        """Take a mail, as its provider would."""
        assert isinstance(message, Email)
        if message.to in self.refusing:
            raise Undeliverable("MessageRejected: no such mailbox")
        self.sent.append(message)
        return f"provider-{len(self.sent)}"

    def hear(self, event: Event) -> None:
        """An event of the bakery's comes in."""
        data = event.model_dump(mode="json", exclude_none=True)
        kind, subject = event.event_type, onboarding("bakkerij")
        source = f"/services/{event.said_by}"
        envelope = Envelope(str(uuid4()), source, kind, subject, self.now, data)
        self.runtime.engine.take([Incoming(envelope.to_bytes(), kind, CONTENT_TYPE)])

    def deliver(self) -> None:
        """All that is due is tried, and what comes of that is tried a moment later."""
        while self.runtime.sender.deliver_due():
            self.now += timedelta(seconds=1)

    def mails_to(self, address: str) -> dict[str, Email]:
        return {mail.kind: mail for mail in self.sent if mail.to == address}

    def row(self, kind: str) -> Notification:
        with self.runtime.reading() as session:
            statement = select(Notification).where(col(Notification.kind) == kind)
            row: Notification = session.execute(statement).scalar_one()
            return row


@pytest.fixture
def billing(tmp_path: Path) -> Iterator[Billing]:
    process = Billing(tmp_path)
    yield process
    process.runtime.stop()


@pytest.fixture
def no_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """No document can be made."""
    document.render_pdf.cache_clear()
    monkeypatch.setattr(document, "_compile", refuse)


def test_a_confirmation_that_cannot_be_made_fails_at_once_and_the_office_reads_so(
    billing: Billing, no_documents: None
) -> None:
    # Given a document that cannot be made, When its order is placed,
    billing.hear(registration(company=NAME))
    with capture_logs() as log:
        billing.deliver()
    # Then it has failed at the first try, with a reason that names nobody,
    row = billing.row("order_confirmation")
    assert (row.status, row.attempts) == (FAILED, 1)
    assert (row.error or "").startswith(document.NOT_MADE)
    assert NAME not in (row.error or "") + str(log)
    assert "notification_failed" in [line["event"] for line in log]
    # And the office has a mail without it, that says for whom, and what to do.
    assert billing.mails_to(PAYER) == {}
    mail = billing.mails_to(OFFICE)["confirmation_undeliverable"]
    assert mail.attachments == ()
    for words in (NAME, PAYER, "O-2026-", "Het document kon niet worden gemaakt"):
        assert words in mail.text


def test_a_payer_whose_address_takes_no_mail_is_named_to_the_office(billing: Billing) -> None:
    # Given an address that takes no mail, When the order is placed,
    billing.refusing = {PAYER}
    billing.hear(registration(company=NAME))
    billing.deliver()
    # Then the office, which has its copy, reads that the payer has none.
    mails = billing.mails_to(OFFICE)
    assert mails.keys() == {"order_confirmation_copy", "confirmation_undeliverable"}
    assert "Controleer het e-mailadres" in mails["confirmation_undeliverable"].text


def test_a_reminder_that_cannot_be_made_is_told_to_the_office_as_well(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an order whose confirmation was sent,
    billing.hear(registration(company=NAME))
    billing.deliver()
    # When it cannot be made again for the reminder,
    document.render_pdf.cache_clear()
    monkeypatch.setattr(document, "_compile", refuse)
    with billing.runtime.database.begin() as session:
        cause = Envelope("reminder", "/tests", "reminder", onboarding("bakkerij"), billing.now)
        params = {**billing.row("order_confirmation").params, "times": 1}
        reminder = Mail(REMINDER, PAYER, "nl", params)
        enqueue(session, [CausedEffect("reminder", reminder, cause)], billing.now)
    billing.deliver()
    # Then the office reads that it is the reminder that was not sent.
    mail = billing.mails_to(OFFICE)["confirmation_undeliverable"]
    assert mail.subject.startswith("Herinnering aan orderbevestiging O-2026-")


def test_an_office_whose_own_address_takes_no_mail_is_not_mailed_about_it(billing: Billing) -> None:
    # Given an office that pays, and whose address takes no mail, When the order is placed,
    billing.refusing = {OFFICE}
    billing.hear(registration(payer="office"))
    billing.deliver()
    # Then what failed is there for a person to see, and no mail was written that must fail too.
    assert billing.row("order_confirmation").status == FAILED
    with billing.runtime.reading() as session:
        kinds = session.execute(select(Notification)).scalars()
        assert "confirmation_undeliverable" not in {row.kind for row in kinds}


def test_nothing_is_said_of_a_customer_who_left(billing: Billing, no_documents: None) -> None:
    # Given an order, When its customer leaves before the confirmation was made,
    billing.hear(registration(company=NAME))
    billing.hear(OnboardingWithdrawn(reason="changed my mind", by="anna"))
    billing.deliver()
    # Then nobody hears that it could not be made.
    assert "confirmation_undeliverable" not in billing.mails_to(OFFICE)


@pytest.mark.parametrize(
    "name", ["Kantoor 1\ufe0f\u20e3 👍🏽", "ร้านบัญชี 会計 " * 8, '"; <x@y>, "=?utf-8?q?x?=']
)
def test_the_name_of_an_office_stops_none_of_its_customers(billing: Billing, name: str) -> None:
    # Given an office with a difficult name, When a customer of its own is registered,
    event = registration()
    office = event.office.model_copy(update={"name": name})
    billing.hear(RegistrationCompleted.model_validate({**dict(event), "office": office}))
    billing.deliver()
    # Then payer and office have the confirmation, and both mails can travel.
    for mail in (
        billing.mails_to(PAYER)["order_confirmation"],
        billing.mails_to(OFFICE)["order_confirmation_copy"],
    ):
        assert mail.attachments[0].content.startswith(b"%PDF")
        assert mail.as_bytes("noreply@stappenplan.example", MONDAY)
    assert billing.row("order_confirmation").status == SENT
