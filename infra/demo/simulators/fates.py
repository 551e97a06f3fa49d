"""Accounts with a fate: what KING's stand-in reports of a direct debit, by the payer's IBAN.

The one table of them, for the stand-in and for whoever shows it. Each IBAN is valid (ISO 13616)
and of a real Dutch bank; every account that is not listed pays at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from shared.base.text import compact
from shared.events import CollectionRequested
from shared.events.king import CollectionStatus
from shared.events.shapes import Language

REFUND_AFTER = timedelta(seconds=15)
"""Long enough to see the customer released before the money goes back."""


class Report(NamedTuple):
    """A status, the bank's reason code, and how long after the request KING tells of it."""

    status: CollectionStatus
    reason_code: str | None = None
    after: timedelta = timedelta(0)


Plan = Callable[[CollectionRequested], Sequence[Report]]
"""What is reported of one collection, in the order of time; nothing at all is silence."""

SUBMITTED = Report("submitted")
PAID = (SUBMITTED, Report("succeeded"))


@dataclass(frozen=True)
class Fate:
    """One account: what its bank does, told in a sentence for people, and attempt by attempt.

    `attempts` are the reports of the first attempt, the second, …; the last holds for all that
    follow.
    """

    iban: str
    dutch: str
    english: str
    attempts: tuple[tuple[Report, ...], ...]

    def sentence(self, language: Language) -> str:
        """What becomes of a direct debit from this account."""
        return self.english if language == "en" else self.dutch

    def reports(self, attempt: int) -> Sequence[Report]:
        """What KING reports of this attempt, counted from 1."""
        return self.attempts[min(attempt, len(self.attempts)) - 1]


FATES = (
    Fate(
        "NL30INGB0002000008",
        "Twee keer onvoldoende saldo (AM04); de derde poging lukt.",
        "Insufficient funds twice (AM04); the third attempt succeeds.",
        ((SUBMITTED, Report("failed", "AM04")), (SUBMITTED, Report("failed", "AM04")), PAID),
    ),
    Fate(
        "NL84RABO0014000008",
        "De incasso lukt; kort na de vrijgave laat de betaler het bedrag terugboeken (MD06).",
        "The direct debit succeeds; shortly after the release the payer has it refunded (MD06).",
        ((*PAID, Report("refunded", "MD06", REFUND_AFTER)), PAID),
    ),
    Fate(
        "NL45ABNA0040000028",
        "KING meldt nooit iets: de klant blijft op de incasso wachten.",
        "KING never reports anything: the customer goes on waiting for the direct debit.",
        ((),),
    ),
    Fate(
        "NL11TRIO0019000006",
        "De rekening is opgeheven (AC04): er is een ander IBAN nodig.",
        "The account is closed (AC04): another IBAN is needed.",
        ((SUBMITTED, Report("failed", "AC04")),),
    ),
    Fate(
        "NL54KNAB0025000004",
        "De betaler heeft de zakelijke machtiging niet bij zijn bank geregistreerd (MD01).",
        "The payer has not registered the B2B mandate with their bank (MD01).",
        ((SUBMITTED, Report("failed", "MD01")),),
    ),
)
"""All of them, as a page lists them."""

_BY_IBAN = {fate.iban: fate for fate in FATES}


def fate_of(iban: str) -> Fate | None:
    """The fate of an account, however it is written; None for one that pays at once."""
    return _BY_IBAN.get(compact(iban).upper())


def by_account(request: CollectionRequested) -> Sequence[Report]:
    """Report what the account of the mandate is fated to; every other one pays."""
    fate = fate_of(request.mandate.iban)
    return PAID if fate is None else fate.reports(request.attempt)
