"""What happens by itself, and when, if nobody acts: foretold from what is known of a customer.

The customer's status page and the office's page both show it. Billing reminds and collects; when it
does so stands in `shared/trade/pauses.py`, and what was agreed per order may put it later.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.activation import facts
from services.activation.checklist import checklist
from services.activation.models import Activation
from shared.base.words import Words
from shared.events import (
    OrderConfirmationSigned,
    OrderSignatureWithdrawn,
    RegistrationCompleted,
)
from shared.host.settings import Settings
from shared.trade.calendar import business_day
from shared.trade.pauses import (
    MAX_REMINDERS,
    REMINDER_PAUSE,
    RETRIES,
    first_collection_day,
)


@dataclass(frozen=True)
class Upcoming:
    """One thing that happens by itself; `at` is None where no day can be told beforehand."""

    words: Words
    at: date | datetime | None = None


def upcoming(activation: Activation, now: datetime, settings: Settings) -> list[Upcoming]:
    """What happens by itself, in order of time; what has no time comes last."""
    codes = [blocker.code for blocker in checklist(activation, now).blockers]
    told = [
        entry
        for code in codes
        if code in FORETOLD
        for entry in FORETOLD[code](activation, now, settings)
    ]
    return sorted(dict.fromkeys(told), key=lambda entry: (entry.at is None, _day_of(entry.at)))


def expiry_reminder_at(ordered_at: datetime, settings: Settings) -> datetime:
    """When a customer is reminded of a password that is not used: a day before it expires."""
    return ordered_at + timedelta(hours=max(settings.credentials_hours - 24, 1))


def _day_of(at: date | datetime | None) -> date:
    if at is None:
        return date.max
    return business_day(at) if isinstance(at, datetime) else at


def _says(nl: str, en: str) -> Callable[[Activation, datetime, Settings], Iterator[Upcoming]]:
    def foretell(
        _activation: Activation, _now: datetime, _settings: Settings
    ) -> Iterator[Upcoming]:
        yield Upcoming(Words(nl, en))

    return foretell


def _unsigned(activation: Activation, now: datetime, _settings: Settings) -> Iterator[Upcoming]:
    known = activation.facts
    begun = facts.moment_of(known, OrderSignatureWithdrawn) or facts.moment_of(
        known, RegistrationCompleted
    )
    if begun is None:
        return
    due = [begun + times * REMINDER_PAUSE for times in range(1, MAX_REMINDERS + 1)]
    words = Words(
        "De betaler krijgt een herinnering, met hetzelfde document.",
        "The payer is sent a reminder, with the same document.",
    )
    for at in due:
        if at > now:
            yield Upcoming(words, at)
    yield Upcoming(
        Words(
            "Na de laatste herinnering gebeurt er niets meer vanzelf; vóór de ondertekening wordt "
            "er niets geïncasseerd.",
            "After the last reminder nothing more happens by itself; nothing is collected before "
            "the signature.",
        )
    )


def _collecting(activation: Activation, _now: datetime, settings: Settings) -> Iterator[Upcoming]:
    signed_at = facts.moment_of(activation.facts, OrderConfirmationSigned)
    if signed_at is not None:
        day = first_collection_day(business_day(signed_at), settings.prenotification_days)
        yield Upcoming(
            Words(
                "KING incasseert, op zijn vroegst op deze dag.",
                "KING collects, on this day at the earliest.",
            ),
            day,
        )
    yield Upcoming(
        Words(
            "Zodra het bedrag binnen is, wordt de klant vanzelf vrijgegeven.",
            "As soon as the amount is in, the customer is released by itself.",
        )
    )


def _not_collected(
    activation: Activation, _now: datetime, _settings: Settings
) -> Iterator[Upcoming]:
    again_at = _next_attempt(activation)
    if again_at is None:
        yield Upcoming(
            Words(
                "Er wordt niet vanzelf opnieuw geïncasseerd; de betaler moet iets doen.",
                "It is not collected again by itself; the payer must do something.",
            )
        )
    else:
        yield Upcoming(
            Words("Er wordt een nieuwe incasso aangevraagd.", "Another collection is asked for."),
            again_at,
        )
    yield Upcoming(
        Words(
            "Zodra het bedrag alsnog binnen is, wordt de klant vanzelf (weer) vrijgegeven.",
            "As soon as the amount is in after all, the customer is released (again) by itself.",
        )
    )


def _next_attempt(activation: Activation) -> datetime | None:
    """When billing tries again, where the latest collection failed for a reason that time heals."""
    booked = facts.collections(activation.facts)
    if not booked or booked[-1].status not in ("failed", "returned"):
        return None
    retry = RETRIES.get((booked[-1].reason_code or "").strip().upper())
    if retry is None or booked[-1].attempt > retry.times:
        return None
    return facts.booked_at(activation.facts, booked[-1]) + timedelta(days=retry.days)


def _log_in(activation: Activation, now: datetime, settings: Settings) -> Iterator[Upcoming]:
    if not activation.one_time_is_good(now):
        return
    if activation.ordered_at is not None:
        remind_at = expiry_reminder_at(activation.ordered_at, settings)
        if remind_at > now:
            yield Upcoming(
                Words(
                    "De klant krijgt een herinnering dat het wachtwoord verloopt.",
                    "The customer is reminded that the password expires.",
                ),
                remind_at,
            )
    yield Upcoming(
        Words(
            "Het eenmalige wachtwoord verloopt; daarna stuurt het kantoor een nieuw.",
            "The one-time password expires; after that the office sends another.",
        ),
        activation.expires_at,
    )


_AT_ONCE = _says(
    "Dit gaat vanzelf, meestal binnen een minuut.",
    "This goes by itself, usually within a minute.",
)
FORETOLD: Mapping[str, Callable[[Activation, datetime, Settings], Iterator[Upcoming]]] = {
    "registering": _AT_ONCE,
    "administration_missing": _AT_ONCE,
    "confirmation_on_its_way": _AT_ONCE,
    "sending": _AT_ONCE,
    "review": _says(
        "Er gebeurt niets vanzelf: het kantoor moet de inschrijving controleren.",
        "Nothing happens by itself: the office must check the sign-up.",
    ),
    "administration_failed": _says(
        "De administratie wordt niet vanzelf opnieuw gemaakt: het kantoor moet dat doen.",
        "The administration is not made again by itself: the office must do that.",
    ),
    "signature_missing": _unsigned,
    "collection_expected": _collecting,
    "collection_failed": _not_collected,
    "release_withdrawn": _not_collected,
    "suspended": _not_collected,
    "collection_held": _says(
        "Er gebeurt niets vanzelf: KING moet over het incassoresultaat beslissen.",
        "Nothing happens by itself: KING must decide on the collection's result.",
    ),
    "ready_to_activate": _says(
        "Er gebeurt niets vanzelf: het kantoor moet de inloggegevens versturen.",
        "Nothing happens by itself: the office must send the login details.",
    ),
    "undeliverable": _says(
        "Er wordt niet vanzelf opnieuw verstuurd: het kantoor moet dat doen.",
        "They are not sent again by itself: the office must do that.",
    ),
    "credentials_expired": _says(
        "Er wordt niet vanzelf een nieuw wachtwoord verstuurd: het kantoor moet dat doen.",
        "No new password is sent by itself: the office must do that.",
    ),
    "login_expected": _log_in,
}
"""By what a customer waits for; what is not here has come to its end."""
