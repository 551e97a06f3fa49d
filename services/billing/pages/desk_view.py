"""One order as it is shown at the desk: to KING beside the paper, to an office without its form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from services.billing.collection.process import CollectionProcess
from services.billing.confirmation.notices import Documents
from services.billing.confirmation.taking_back import orders_to_unsign
from services.billing.mails import payer_address
from services.billing.models import Collection, Mandate, Order
from services.billing.models.money import to_pay_back_cents
from services.billing.models.reasons import reason_for
from services.billing.orders import load_order
from services.billing.pages.desk_words import COLLECTED, PAYER_ACTED, STAGES, STORY
from services.billing.pages.payer_link import PAYER
from services.billing.signing.evidence import Returned, returned_of
from services.billing.signing.standing import PayerStanding, standing_of
from shared.base.errors import Conflict, NotFound
from shared.events.shapes import Language
from shared.host.parts import story
from shared.host.runtime import Runtime
from shared.processing import Loaded, Now
from shared.trade.formats import iban_groups, iban_tail
from shared.web.auth import Caller
from shared.web.pages import fingerprint


@dataclass(frozen=True)
class DeskOrder:
    """One order, what is known of it, and what can be done about it.

    `account` is whole for KING; an office sees how it ends, as over HTTP. `kept` is why a recorded
    signature cannot be taken back; None where it can, or where there is none.
    """

    standing: PayerStanding
    collections: Sequence[Collection]
    returned: Returned
    account: str | None
    account_holder: str | None
    is_in_hand: bool
    kept: Conflict | None
    to_pay_back_cents: int

    @property
    def order(self) -> Order:
        """The order itself."""
        return self.standing.order

    @property
    def payer(self) -> str:
        """Whose name stands on the confirmation."""
        return payer_address(self.standing.event)[0]

    @property
    def takes_signature(self) -> bool:
        """Whether a paper is to be recorded: the first, or a new one after a failure."""
        return not (self.order.withdrawn or (self.order.signed and self.is_in_hand))

    @property
    def can_be_taken_back(self) -> bool:
        """Whether the recorded signature can still be undone."""
        return self.order.signed and self.kept is None

    def attempts(self, language: Language) -> list[dict[str, Any]]:
        """The attempts to collect, the latest first, in words."""
        return [_attempt(row, language) for row in reversed(self.collections)]


def read_order(runtime: Runtime, caller: Caller, reference: str) -> DeskOrder:
    """One order, for whoever may see it.

    Raises:
        NotFound: there is none for the caller.
    """
    documents = runtime.resource(Documents)
    now = Now(runtime.clock())
    with runtime.reading() as session:
        order = load_order(session, caller, documents.reference_of(reference))
        standing = standing_of(session, documents, order, now)
        if standing is None:
            raise NotFound("not_found", "This order has no mandate.")
        query = select(Collection).where(Collection.order_reference == order.reference)
        rows = session.exec(query.order_by(col(Collection.attempt))).all()
        process = CollectionProcess(order, standing.mandate, Loaded(rows), documents.settings, now)
        return DeskOrder(
            standing=standing,
            collections=rows,
            returned=returned_of(session, order),
            account=_shown(standing.iban, caller),
            account_holder=_holder(standing),
            is_in_hand=process.in_hand,
            kept=_why_kept(session, process, standing.mandate) if order.signed else None,
            to_pay_back_cents=to_pay_back_cents(rows, withdrawn=order.withdrawn),
        )


def order_story(runtime: Runtime, order: Order, language: Language) -> list[dict[str, Any]]:
    """What people did about an order and what was mailed, the latest first."""
    entries = story(runtime, order.onboarding_id, STORY, language)
    named = {PAYER: PAYER_ACTED.in_(language)}
    return [{**entry, "who": named.get(entry["who"], entry["who"])} for entry in entries]


def order_version(runtime: Runtime, caller: Caller, reference: str) -> str:
    """Changes when the page of an order is to be shown anew.

    Raises:
        NotFound: there is none for the caller.
    """
    with runtime.reading() as session:
        order = load_order(session, caller, reference)
        query = select(Collection).where(Collection.order_reference == order.reference)
        booked = sorted((row.key, row.status, row.held) for row in session.exec(query))
    told = [(entry["at"], entry["details"]) for entry in order_story(runtime, order, "nl")]
    return fingerprint(order.stage, order.revision, order.posted_on, order.scan_at, booked, told)


def order_row(order: Order) -> dict[str, Any]:
    """One order in the list."""
    event = order.registration()
    words, tone = STAGES[order.stage]
    return {
        "reference": order.reference,
        "company": event.customer.company,
        "payer": payer_address(event)[0],
        "office": event.office.name,
        "amount_cents": order.amount_cents,
        "placed_on": order.placed_on,
        "signed_on": order.signed_on,
        "stage": words,
        "tone": tone,
        "scan_at": None if order.signed else order.scan_at,
        "posted_on": None if order.signed else order.posted_on,
    }


def _attempt(row: Collection, language: Language) -> dict[str, Any]:
    words, tone = COLLECTED[row.status]
    reason = reason_for(row.reason_code).meaning(language) if row.reason_code else None
    return {
        "attempt": row.attempt,
        "collect_on": row.collect_on,
        "amount_cents": row.amount_cents,
        "status": words,
        "tone": tone,
        "reason": f"{reason} ({row.reason_code})" if reason else None,
        "end_to_end_id": row.end_to_end_id,
        "held": bool(row.held),
    }


def _shown(iban: str | None, caller: Caller) -> str | None:
    if iban is None:
        return None
    return iban_groups(iban) if caller.office is None else f"… {iban_tail(iban)}"


def _holder(standing: PayerStanding) -> str | None:
    """Whose account it is that is collected from."""
    mandate, payer = standing.mandate, standing.event.payer
    holders = {payer.iban: payer.account_holder, mandate.iban: mandate.account_holder}
    return holders.get(standing.iban) if standing.iban else None


def _why_kept(session: Session, process: CollectionProcess, mandate: Mandate) -> Conflict | None:
    """Why the signature cannot be taken back; None where it can."""
    order = process.order
    orders, collections = Loaded([order]), process.collections
    if not process.reported:  # Else its own are enough to say so.
        together = select(Order).where(Order.mandate_key == mandate.key)
        references = select(Order.reference).where(Order.mandate_key == mandate.key)
        under = col(Collection.order_reference).in_(references)
        orders = Loaded(session.exec(together).all())
        collections = Loaded(session.exec(select(Collection).where(under)).all())
    try:
        orders_to_unsign(order, mandate, orders, collections, process.settings, process.now)
    except Conflict as conflict:
        return conflict
    return None
