"""The order/direct-debit confirmation of an order, and the mails that carry it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

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

    @property
    def sha256(self) -> str:
        """The fingerprint by which a returned document is recognised."""
        return hashlib.sha256(self.content).hexdigest()


def document_of(session: Session, order: Order, settings: Settings) -> Document:
    """The confirmation of an order: byte for byte the same each time it is made.

    Raises:
        Reject: the order has no mandate, so there is nothing to confirm.
    """
    mandate = session.get(Mandate, order.mandate_key)
    if mandate is None or order.placed_on is None or order.reference is None:
        raise Reject("this order has no mandate to confirm")
    event = order.registration()
    name, email, language = payer_address(event)
    quote = Catalogue.load(settings.catalogue).price(event.package)
    confirmation = Confirmation(
        order_reference=order.reference,
        order_date=order.placed_on,
        language=language,
        creditor=settings.creditor,
        payer_name=name,
        payer_email=email,
        customer=event.customer,
        office=event.office,
        quote=quote,
        mandate_reference=mandate.reference,
        scheme="B2B" if mandate.scheme == "B2B" else "CORE",
        # As the payer gave it with the order: what he fills in on paper changes no document.
        iban=event.payer.iban,
        account_holder=event.payer.account_holder,
        collect_not_before=collect_on(order.placed_on, settings.prenotification_days),
    )
    return Document(f"orderbevestiging-{order.reference}.pdf", render_pdf(confirmation))


def document_notices(settings: Settings) -> dict[str, Notice]:
    """How the mails are made that carry the confirmation."""
    compose = partial(_compose, settings)
    return {
        CONFIRMATION: Notice(compose=compose, sent=partial(_sent, settings)),
        COPY: Notice(compose=compose),
        REMINDER: Notice(compose=compose),
    }


def _compose(
    settings: Settings, session: Session, notification: Notification, renderer: Renderer, _now: Now
) -> Letter | None:
    order = _order(session, notification)
    if order is None or order.withdrawn:
        return None  # Nobody is asked to sign for a customer who left.
    document = document_of(session, order, settings)
    return renderer.render_email(
        notification.kind,
        notification.language,
        notification.params,
        to=notification.recipient,
        message_key=notification.id,
        attachments=[Attachment(document.filename, "application/pdf", document.content)],
    )


def _sent(
    settings: Settings, session: Session, notification: Notification, _now: Now
) -> Sequence[Message]:
    order = _order(session, notification)
    if order is None or order.reference is None:
        return []
    return [
        OrderConfirmationSent(
            order_reference=order.reference,
            document_sha256=document_of(session, order, settings).sha256,
            sent_to=notification.recipient,
            copied_to=order.registration().office.email,
        )
    ]


def _order(session: Session, notification: Notification) -> Order | None:
    query = select(Order).where(Order.onboarding_id == notification.onboarding_id)
    return session.exec(query).one_or_none()
