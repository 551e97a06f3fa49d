"""The confirmation of an order, and the mails that carry it."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from sqlalchemy import Table, select
from sqlmodel import Session, col

from services.billing.confirmation.document import NOT_MADE, Confirmation
from services.billing.mails import (
    CONFIRMATION,
    COPY,
    REMINDER,
    not_made_mail,
    payer_address,
    undeliverable_mail,
)
from services.billing.models import Mandate, Order, OrderTerms
from shared.base.errors import NotFound, Reject
from shared.events import OrderConfirmationSent, RegistrationCompleted
from shared.host.settings import Settings
from shared.notifications.kinds import Describe, NotificationKind, describe
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.senders.outgoing import Email, OutgoingMessage
from shared.notifications.tables import Notification
from shared.persistence.bulk import in_
from shared.processing import Effect, Now
from shared.trade.catalogue import Catalogue

ORDER: Table = Order.__table__  # type: ignore[attr-defined]

SCANNED = re.compile(r"(O-\d{4}-\d+)\.([A-Z0-9]+)", re.ASCII)
"""What the QR code holds: an order's reference and its seal, as `scan_token` makes them."""


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
        return self._confirmation(order, session.get(Mandate, order.mandate_key))

    def _confirmation(self, order: Order, mandate: Mandate | None) -> Confirmation:
        if mandate is None or order.placed_on is None or order.reference is None:
            raise Reject("this order has no mandate to confirm")
        event = order.registration()
        terms = order.terms() or self._as_of_today(order.placed_on, event)
        name, email, language = payer_address(event)
        return Confirmation(
            order_reference=order.reference,
            order_date=order.placed_on,
            language=language,
            creditor=terms.creditor,
            payer_name=name,
            payer_email=email,
            customer=event.customer,
            customer_number=event.customer_number,
            office=event.office,
            quote=terms.quote,
            mandate_reference=mandate.reference,
            scheme="B2B" if mandate.scheme == "B2B" else "CORE",
            iban=terms.iban,
            account_holder=terms.account_holder,
            collect_not_before=terms.collect_not_before,
            prenotification_days=terms.prenotification_days,
            token=self._token(order.reference),
            covered=order.covered_since,
        )

    def reference_of(self, text: str) -> str:
        """The reference of the order that somebody names: by itself, or by the QR code's text.

        Raises:
            NotFound: it is such a text, and its seal is not the one that we printed.
        """
        named = text.strip().upper()
        scanned = SCANNED.fullmatch(named)
        if scanned is None:
            return named
        if not hmac.compare_digest(self._token(scanned[1]).encode(), scanned[0].encode()):
            raise NotFound(
                "seal_wrong",
                "The seal of this code is not right; scan it again, or type the order's reference.",
            )
        return scanned[1]

    def _token(self, reference: str) -> str:
        return scan_token(reference, self.settings.sealing_key())

    def _as_of_today(self, placed_on: date, event: RegistrationCompleted) -> OrderTerms:
        """Today's terms, for an order from before it was kept what was agreed."""
        quote = self.catalogue.price(event.package)
        return OrderTerms.agree(quote, self.settings, placed_on, event.payer)

    def notification_kinds(self) -> dict[str, NotificationKind]:
        """How the mails are made that carry the confirmation."""
        return {
            CONFIRMATION: NotificationKind(
                read_together=self._read_together, sent=_sent, failed=self._failed
            ),
            COPY: NotificationKind(read_together=self._read_together),
            REMINDER: NotificationKind(read_together=self._read_together, failed=self._failed),
        }

    def _read_together(self, session: Session, notifications: Sequence[Notification]) -> Describe:
        """Read the orders with their mandates; two mails of one order carry one confirmation."""
        orders = _orders_of(session, notifications)

        @cache
        def confirmation(onboarding_id: str) -> Confirmation:
            return self._confirmation(*orders[onboarding_id])

        def describe_with_document(
            session: Session, notification: Notification
        ) -> RenderJob | None:
            order, _ = orders.get(notification.onboarding_id, (None, None))
            if order is None or order.withdrawn:
                return None  # Nobody is asked to sign for a customer who left.
            document = confirmation(notification.onboarding_id)
            return replace(describe(session, notification), attachments=(document,))

        return describe_with_document

    def _failed(self, session: Session, notification: Notification, _now: Now) -> Sequence[Effect]:
        """The office hears at once, without the document, that the payer does not have it.

        It is told nothing when the very address that failed is its own. KING hears of a document
        that cannot be made, since nobody else can mend that.
        """
        order = session.get(Order, notification.onboarding_id)
        if order is None or order.withdrawn:
            return []
        not_made = (notification.error or "").startswith(NOT_MADE)
        mail = undeliverable_mail(order, reminder=notification.kind == REMINDER, not_made=not_made)
        if not_made:
            return [mail, not_made_mail(order, self.settings.creditor.email)]
        return [mail] if mail.to != notification.recipient else []


def scan_token(reference: str, key: str) -> str:
    """The code that names an order to whoever scans its confirmation, and cannot be made up."""
    seal = hmac.digest(key.encode(), f"confirmation/{reference}".encode(), "sha256")
    return f"{reference}.{base64.b32encode(seal)[:12].decode()}"


def _orders_of(
    session: Session, notifications: Sequence[Notification]
) -> Mapping[str, tuple[Order, Mandate | None]]:
    """The orders that these are about, each with its mandate, by their onboarding."""
    ids = [notification.onboarding_id for notification in notifications]
    found = (
        select(Order, Mandate)
        .outerjoin(Mandate, col(Mandate.key) == col(Order.mandate_key))
        .where(in_(session, ORDER.c.onboarding_id, ids))
    )
    return {order.onboarding_id: (order, mandate) for order, mandate in session.execute(found)}


def _sent(
    _session: Session, notification: Notification, message: OutgoingMessage, _now: Now
) -> Sequence[Effect]:
    """The event that the payer has it; the fingerprint is of the very bytes that they got."""
    (document,) = message.attachments if isinstance(message, Email) else ()
    return [
        OrderConfirmationSent(
            order_reference=notification.params["order_reference"],
            document_sha256=hashlib.sha256(document.content).hexdigest(),
            sent_to=notification.recipient,
            copied_to=notification.params["office_email"],
        )
    ]
