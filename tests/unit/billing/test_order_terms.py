"""What was agreed with an order stands, whatever becomes of prices and settings afterwards."""

from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, create_engine

from services.billing.confirmation.document import Confirmation
from services.billing.confirmation.notices import Documents
from services.billing.models import BillingTable, Mandate
from shared.events import CollectionRequested
from shared.host.settings import Creditor
from tests.unit.billing.builders import (
    FIRST,
    IBAN,
    OFFICE_IBAN,
    placed,
    registration,
    signature,
)
from tests.unit.billing.harness import CATALOGUE, SETTINGS, BillingHarness

DEARER = CATALOGUE.model_copy(update={"vat_percent": 25})
MOVED = SETTINGS.model_copy(update={"creditor": Creditor(city="Elders"), "prenotification_days": 5})


def confirmation(
    billing: BillingHarness, documents: Documents, about: str = "bakkerij"
) -> Confirmation:
    """What the confirmation of this customer's order says."""
    engine = create_engine("sqlite://")
    BillingTable.metadata.create_all(engine)
    order = billing.order(about)
    with Session(engine) as session:
        mandate = billing.row(Mandate, key=order.mandate_key)
        session.add(Mandate(**mandate.model_dump()))
        session.flush()
        return documents.confirmation_of(session, order)


def test_a_document_stays_the_same_when_prices_and_settings_change() -> None:
    # Given an order,
    billing = placed()
    today = confirmation(billing, Documents(SETTINGS, CATALOGUE))
    # When the price goes up, the creditor moves and agrees on a shorter term from now on,
    later = confirmation(billing, Documents(MOVED, DEARER))
    # Then its confirmation is the very same, and says the amount that is collected.
    assert later == today
    assert later.quote.gross_cents == billing.order().amount_cents


def test_a_new_token_key_changes_no_confirmation(tmp_path: Path) -> None:
    # Given an order whose confirmation is under way, on paper,
    billing = placed()
    old, new = (
        SETTINGS.model_copy(update={"data_dir": tmp_path, "token_key": letter * 32})
        for letter in "on"
    )
    sent = confirmation(billing, Documents(old, CATALOGUE))
    # When the key that signs tokens is replaced, Then it is the very same, seal and all.
    assert confirmation(billing, Documents(new, CATALOGUE)) == sent


def test_king_collects_no_sooner_than_was_agreed() -> None:
    # Given an order with which thirty days of notice were agreed,
    billing = placed()
    order = billing.order()
    order.agreed = (order.agreed or {}) | {"prenotification_days": 30}
    # When it is signed, then KING is asked to wait so long, whatever is agreed with others now.
    asked = billing.ask(signature()).one(CollectionRequested)
    assert asked.collect_on - billing.now.date() >= timedelta(days=30)


def test_an_order_from_before_it_was_kept_is_confirmed_by_todays_prices() -> None:
    # Given an order from before what was agreed was kept,
    billing = placed()
    kept = confirmation(billing, Documents(SETTINGS, CATALOGUE))
    billing.order().agreed = None
    # When its confirmation is asked for, then it is made as it always was.
    assert confirmation(billing, Documents(SETTINGS, CATALOGUE)) == kept


def test_under_a_standing_mandate_the_document_shows_the_account_that_is_collected_from() -> None:
    # Given an office with a standing mandate,
    billing = BillingHarness()
    billing.hear(registration(payer="office", iban=OFFICE_IBAN))
    billing.ask(signature(FIRST))
    # When it gives another account with one customer more,
    said = billing.hear(registration(payer="office", iban=IBAN), about="slager")
    # Then KING collects from that of the mandate, and so says the document.
    assert said.one(CollectionRequested).mandate.iban == OFFICE_IBAN
    assert confirmation(billing, Documents(SETTINGS, CATALOGUE), "slager").iban == OFFICE_IBAN
