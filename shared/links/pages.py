"""The addresses of pages: those with a signature for customers and payers, and all others."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from shared.links.signing import Signed, Signer


class Purpose(StrEnum):
    """What a signed link lets its holder do; it is the first part of the page's path, too."""

    STATUS = "status"
    WITHDRAW = "withdraw"
    SIGN = "sign"
    STAFF = "staff"


LIFETIMES = {
    Purpose.STATUS: timedelta(days=90),
    Purpose.WITHDRAW: timedelta(days=90),
    Purpose.SIGN: timedelta(days=90),
    Purpose.STAFF: timedelta(minutes=15),
}
"""For how long a link is good: a customer's or payer's for as long as an order may stay open."""

SUBJECT = "sub"


class PageLinks:
    """Makes the addresses of pages, and reads what stands in the signed ones.

    `base_url` is the address that people can open, without a slash at its end.
    """

    def __init__(self, base_url: str, keys: Sequence[str]) -> None:
        self.base_url = base_url
        self.signer = Signer(keys)

    def plain(self, path: str) -> str:
        """The address of a page whose visitors sign in, or need not: `/login`, `/orders`."""
        return f"{self.base_url}{path}"

    def path(self, purpose: Purpose, onboarding_id: str, now: datetime) -> str:
        """The path of a page for the customer or the payer of one onboarding."""
        until = now + LIFETIMES[purpose]
        token = self.signer.sign(purpose, {SUBJECT: onboarding_id}, now=now, until=until)
        return f"/{purpose}/{token}"

    def to(self, purpose: Purpose, onboarding_id: str, now: datetime) -> str:
        """The address of a page for the customer or the payer of one onboarding."""
        return self.plain(self.path(purpose, onboarding_id, now))

    def read(self, purpose: Purpose, token: str, now: datetime) -> Signed:
        """What the token in a page's path says.

        Raises:
            Invalid: it was not made here for this page.
            Expired: its time is over; whose it was can still be read.
        """
        return self.signer.read(purpose, token, now)
