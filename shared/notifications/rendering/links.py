"""The addresses that a mail may hold: made while it is rendered, and kept nowhere."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from shared.links import PageLinks, Purpose

FOR_RECIPIENTS = frozenset({Purpose.STATUS, Purpose.WITHDRAW, Purpose.SIGN})
"""What a mail may let its reader do; a link that signs staff in is never mailed."""


@dataclass(frozen=True, slots=True)
class MailLinks:
    """The pages that one mail may lead to: signed for its onboarding, good from `now` on."""

    pages: PageLinks
    about: str
    now: datetime

    def page(self, purpose: str) -> str:
        """The address of a page for the customer or the payer of this onboarding.

        Raises:
            ValueError: no mail leads to such a page.
        """
        wanted = Purpose(purpose)
        if wanted not in FOR_RECIPIENTS:
            raise ValueError(f"no mail leads to a page of the purpose {purpose}")
        return self.pages.to(wanted, self.about, self.now)

    def address(self, path: str, *parts: str) -> str:
        """The address of a page whose visitors sign in, or need not; `parts` continue its path."""
        return self.pages.plain("/".join([path, *(quote(part, safe="") for part in parts)]))
