"""The order/direct-debit confirmation of an order, and the mails that carry it."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, select

from services.billing.confirmation import Confirmation, render_pdf
from services.billing.mails import CONFIRMATION, COPY, REMINDER, payer_address
from services.billing.mandates import collect_on
from services.billing.models import Mandate, Order
from shared.catalogue import Catalogue
from shared.errors import Reject
from shared.events import OrderConfirmationSent
from shared.notifications.letters import Attachment, Letter
from shared.notifications.model import Notification
from shared.notifications.notices import Notice
from shared.notifications.rendering import Renderer
from shared.processing.messages import Message, Now
from shared.settings import Settings


@dataclass(frozen=True)
class Document:
    """A confirmation as a PDF."""

    filename: str
    content: bytes

    @classmethod
    def of(cls, confirmation: Confirmation) -> "Document":
        """Make the document."""
        name = f"orderbevestiging-{confirmation.order_reference}.pdf"
        return cls(name, render_pdf(confirmation))

    @property
    def sha256(self) -> str:
        """The fingerprint by which a returned document is recognised."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Documents:
    """Makes the confirmations, with what they need beside the order."""

    settings: Settings
    catalogue: Catalogue

    def confirmation_of(self, session: Session, order: Order) -> Confirmation:
        """What the confirmation of an order says: the same each time it is asked for.

        Raises:
            Reject: the order has no mandate, so there is nothing to confirm.
        """
        mandate = session.get(Mandate, order.mandate_key)
        if mandate is None or order.placed_on is None or order.reference is None:
            raise Reject("this order has no mandate to confirm")
        event, settings = order.registration(), self.settings
        name, email, language = payer_address(event)
        return Confirmation(
            order_reference=order.reference,
            order_date=order.placed_on,
            language=language,
            creditor=settings.creditor,
            payer_name=name,
            payer_email=email,
            customer=event.customer,
            customer_number=event.customer_number,
            office=event.office,
            quote=self.catalogue.price(event.package),
            mandate_reference=mandate.reference,
            scheme="B2B" if mandate.scheme == "B2B" else "CORE",
            # As the payer gave it with the order: what he fills in on paper changes no document.
            iban=event.payer.iban,
            account_holder=event.payer.account_holder,
            collect_not_before=collect_on(order.placed_on, settings.prenotification_days),
            prenotification_days=settings.prenotification_days,
            token=scan_token(order.reference, settings.signing_key()),
            covered=order.covered_since,
        )

    def notices(self) -> dict[str, Notice]:
        """How the mails are made that carry the confirmation."""
        return {
            CONFIRMATION: Notice(compose=self._compose, sent=self._sent),
            COPY: Notice(compose=self._compose),
            REMINDER: Notice(compose=self._compose),
        }

    def _compose(
        self, session: Session, notification: Notification, renderer: Renderer, _now: Now
    ) -> Letter | None:
        order = _order(session, notification)
        if order is None or order.withdrawn:
            return None  # Nobody is asked to sign for a customer who left.
        document = Document.of(self.confirmation_of(session, order))
        return renderer.render_email(
            notification.kind,
            notification.language,
            notification.params,
            to=notification.recipient,
            message_key=notification.id,
            attachments=[Attachment(document.filename, "application/pdf", document.content)],
        )

    def _sent(self, session: Session, notification: Notification, _now: Now) -> Sequence[Message]:
        order = _order(session, notification)
        if order is None or order.reference is None:
            return []
        return [
            OrderConfirmationSent(
                order_reference=order.reference,
                document_sha256=Document.of(self.confirmation_of(session, order)).sha256,
                sent_to=notification.recipient,
                copied_to=order.registration().office.email,
            )
        ]


def scan_token(reference: str, key: str) -> str:
    """What names an order to whoever scans its confirmation, and cannot be made up."""
    seal = hmac.digest(key.encode(), f"confirmation/{reference}".encode(), "sha256")
    return f"{reference}.{base64.b32encode(seal)[:12].decode()}"


def _order(session: Session, notification: Notification) -> Order | None:
    query = select(Order).where(Order.onboarding_id == notification.onboarding_id)
    return session.exec(query).one_or_none()
