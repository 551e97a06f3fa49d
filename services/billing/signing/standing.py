"""Where things stand for the payer: one word for it, and what goes with that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from sqlmodel import Session, col, select

from services.billing.collection.process import CollectionProcess
from services.billing.confirmation.document import Confirmation
from services.billing.confirmation.notices import Documents
from services.billing.confirmation.signing import STANDING_MANDATE, known_iban
from services.billing.mails import payer_address
from services.billing.models import Collection, Mandate, Order
from services.billing.models.reasons import Reason, reason_for
from services.billing.signing.banks import Bank, bank_of, registration_of
from services.billing.signing.scans import ScanListed, scans_of
from shared.base.words import Words
from shared.events import RegistrationCompleted
from shared.events.shapes import Language, Office
from shared.processing import Loaded, Now


class Stand(Enum):
    """How it stands, as the payer sees it."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    COLLECTING = "collecting"
    PAID = "paid"
    FAILED = "failed"
    STOPPED = "stopped"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class PayerStanding:
    """One order as its payer sees it.

    `collection` is the attempt that counts, `again` says that another follows by itself.
    """

    stand: Stand
    order: Order
    mandate: Mandate
    confirmation: Confirmation
    scans: Sequence[ScanListed]
    collection: Collection | None
    again: bool

    @property
    def event(self) -> RegistrationCompleted:
        """The registration, with where the customer is reached now."""
        return self.order.reached_now()

    @property
    def office(self) -> Office:
        """The office that the payer can ask."""
        return self.event.office

    @property
    def address(self) -> str:
        """The payer's own address, to which codes and links go."""
        return payer_address(self.event)[1]

    @property
    def language(self) -> Language:
        """The payer's language."""
        return self.confirmation.language

    @property
    def is_covered(self) -> bool:
        """Whether a mandate that was signed before covers it, so that nothing is to be signed."""
        return self.order.signature_method == STANDING_MANDATE

    @property
    def can_sign(self) -> bool:
        """Whether a signature helps now: there is none, or the bank has refused it for good."""
        is_refused = self.stand is Stand.FAILED and self.mandate.refused
        return self.stand is Stand.UNSIGNED or is_refused

    @property
    def iban(self) -> str | None:
        """The account that is collected from, as far as it is known."""
        signed = self.mandate.iban if self.order.signed and not self.mandate.refused else None
        return signed or known_iban(self.order, self.mandate)

    @property
    def reason(self) -> Reason | None:
        """Why the last attempt came to nothing."""
        failed = self.collection if self.stand is Stand.FAILED else None
        return reason_for(failed.reason_code or "") if failed else None

    @property
    def collect_on(self) -> date:
        """When it is collected at the earliest."""
        asked = self.collection.collect_on if self.collection is not None else None
        return asked or self.confirmation.collect_not_before

    @property
    def is_business(self) -> bool:
        """Whether the mandate is one between businesses, which the payer's bank must know."""
        return self.mandate.scheme == "B2B"

    @property
    def bank(self) -> Bank | None:
        """The payer's bank, where it is one whose ways are known."""
        return bank_of(self.iban)

    @property
    def bank_steps(self) -> Words:
        """How a business mandate is registered at the payer's bank."""
        return registration_of(self.iban)

    def ordered(self, language: Language) -> str:
        """What was ordered, in words."""
        return ", ".join(line.description(language) for line in self.confirmation.quote.lines)

    @property
    def version(self) -> tuple[object, ...]:
        """What changes when the page is to be shown anew."""
        order, collection = self.order, self.collection
        told = (collection.status, collection.collect_on) if collection else ()
        noted = order.posted_on, order.scan_at, len(self.scans), order.links_not_before
        return self.stand, order.revision, noted, told


def standing_of(
    session: Session, documents: Documents, order: Order, now: Now
) -> PayerStanding | None:
    """How it stands with an order; None while it is not placed, so that there is none to see."""
    mandate = session.get(Mandate, order.mandate_key) if order.placed else None
    if mandate is None:
        return None
    query = select(Collection).where(Collection.order_reference == order.reference)
    attempts = session.exec(query.order_by(col(Collection.attempt))).all()
    process = CollectionProcess(order, mandate, Loaded(attempts), documents.settings, now)
    stand, collection = _stand(order, mandate, attempts)
    reason = reason_for(collection.reason_code or "") if collection else None
    return PayerStanding(
        stand=stand,
        order=order,
        mandate=mandate,
        confirmation=documents.confirmation_of(session, order),
        scans=scans_of(session, order.onboarding_id),
        collection=collection,
        again=bool(collection and reason and process.tries_again(collection, reason)),
    )


def _stand(
    order: Order, mandate: Mandate, attempts: Sequence[Collection]
) -> tuple[Stand, Collection | None]:
    if order.withdrawn:
        return Stand.WITHDRAWN, None
    if mandate.stopped:
        return Stand.STOPPED, None
    if not order.signed:
        return Stand.UNSIGNED, None
    made = [row for row in attempts if row.attempted]
    for stand, rows in (
        (Stand.PAID, [row for row in made if row.paid]),
        (Stand.COLLECTING, [row for row in made if row.under_way]),
        (Stand.FAILED, made),
    ):
        if rows:
            return stand, rows[-1]
    return Stand.SIGNED, None
