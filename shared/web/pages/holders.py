"""Customers and payers, who come by a signed link: whose it is, and what to do when it is over."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from fastapi.responses import HTMLResponse

from shared.events.shapes import Language
from shared.links import Expired, Invalid, PageLinks, Purpose
from shared.links.pages import SUBJECT
from shared.web.auth import not_there
from shared.web.pages.rendering import TEMPLATES, PageTemplates

_templates = PageTemplates(TEMPLATES)


@dataclass(frozen=True, slots=True)
class LinkHolder:
    """Whoever opened a signed link, to the page of one onboarding."""

    purpose: Purpose
    token: str
    onboarding_id: str
    issued_at: datetime
    is_expired: bool

    def may_enter(self, links_from: datetime | None) -> bool:
        """Whether the link still holds; `links_from` is since when links must be to be good."""
        if self.is_expired:
            return False
        # A link is written in whole milliseconds, and may be of the very moment.
        return links_from is None or self.issued_at >= links_from.replace(
            microsecond=links_from.microsecond // 1000 * 1000
        )


def holder_of(links: PageLinks, purpose: Purpose, token: str, now: datetime) -> LinkHolder:
    """Who opened the page with this token in its address.

    Raises:
        NotFound: the token was not made here for this page.
    """
    try:
        signed, is_expired = links.read(purpose, token, now), False
    except Expired as expired:
        signed, is_expired = expired.signed, True
    except Invalid:
        raise not_there() from None
    return LinkHolder(purpose, token, signed.claims[SUBJECT], signed.issued_at, is_expired)


def link_over_page(
    request: Request,
    holder: LinkHolder,
    *,
    to: str | None,
    is_sent: bool = False,
    language: Language | None = None,
) -> HTMLResponse:
    """Says that a link is over, and offers a new one at the address `to` which is known.

    `to` is masked already; the form is posted to `/{purpose}/{token}/new-link`. What is answered
    is the same whether a mail leaves or not.
    """
    return _templates.page(
        request,
        "link_over.html",
        status=200 if is_sent else 410,
        language=language,
        holder=holder,
        to=to,
        is_sent=is_sent,
    )
