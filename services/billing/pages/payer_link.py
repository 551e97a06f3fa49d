"""The signed link by which a payer comes: whose order it opens, and whether it still does."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import Request
from sqlmodel import Session, col, select

from services.billing.mails import payer_link_mail
from services.billing.models import Order
from shared.host.requests import WriteContext
from shared.host.runtime import Runtime
from shared.links import Purpose
from shared.processing import Person
from shared.web.auth import not_there
from shared.web.pages import LinkHolder, holder_of, site_of

PAYER = "payer"
"""Who did it, on record; who they say they are stands with what they signed."""
LINK_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True)
class PayerLink:
    """A link that somebody followed, and from where."""

    holder: LinkHolder
    address: str
    user_agent: str

    @property
    def path(self) -> str:
        """The payer's page."""
        return f"/{Purpose.SIGN}/{self.holder.token}"

    def person(self, order: Order) -> Person:
        """Who asks for what is asked here."""
        return Person(PAYER, order.office_code, self.address)

    def load(self, session: Session) -> Order:
        """The order that it is about.

        Raises:
            NotFound: there is none yet.
        """
        order = session.get(Order, self.holder.onboarding_id)
        if order is None or not order.placed:
            raise not_there()
        return order


def follow(runtime: Runtime, request: Request) -> PayerLink:
    """The link that somebody followed; one that is expired or void is told from a made-up one.

    Raises:
        NotFound: it was not made here, or for another page.
    """
    token, links = request.path_params["token"], site_of(request).links
    holder = holder_of(links, Purpose.SIGN, token, runtime.clock())
    address = request.client.host if request.client else ""
    return PayerLink(holder, address, request.headers.get("user-agent", ""))


def send_link(runtime: Runtime, link: PayerLink) -> None:
    """Have a fresh link sent to the payer's own address, unless one was sent just now.

    Nobody is told whether it was.
    """
    with runtime.reading() as session:
        order = link.load(session)

    def work(context: WriteContext) -> None:
        by_id = col(Order.onboarding_id) == link.holder.onboarding_id
        current = context.session.exec(select(Order).where(by_id).with_for_update()).one()
        pause_over = (current.link_sent_at or datetime.min.replace(tzinfo=UTC)) + LINK_PAUSE
        if current.withdrawn or context.now < pause_over:
            return
        current.link_sent_at = context.now
        context.session.add(current)
        context.record("billing.send_link", link.holder.onboarding_id)
        context.effects.append(payer_link_mail(current))

    runtime.write(work, subject=link.holder.onboarding_id, by=link.person(order))
