"""How each of the seven steps stands for one customer, and what keeps it from going on.

The order of the steps is that of the vendor's help page; INRICHTEN and BEVESTIGEN go on side by
side. What stands in the way is said in both languages, where it arises.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from services.activation import facts
from services.activation.facts import Facts
from services.activation.standing import WAITING, Blocker, Onboarding, State, current, done, failed
from services.activation.states import SENDING, SENT, UNDELIVERABLE
from shared.base.words import Words
from shared.events import (
    AdministrationCreated,
    AdministrationFailed,
    CustomerReleased,
    CustomerReleaseWithdrawn,
    OnboardingWithdrawn,
    OrderConfirmationSent,
    OrderConfirmationSigned,
    OrderSignatureWithdrawn,
    RegistrationCompleted,
    RegistrationDeclined,
    SignupAccepted,
    SignupRejected,
)


def stopped(activation: Onboarding) -> Blocker | None:
    """Why nothing goes on any more, where the onboarding was withdrawn."""
    withdrawal = facts.read(activation.facts, OnboardingWithdrawn)
    if withdrawal is None:
        return None
    words = Words(f"Ingetrokken: {withdrawal.reason}", f"Withdrawn: {withdrawal.reason}")
    since = facts.moment_of(activation.facts, OnboardingWithdrawn)
    return Blocker("withdrawn", words, "nobody", since)


def _signing_up(activation: Onboarding, _now: datetime) -> State:
    at = facts.moment_of(activation.facts, SignupAccepted)
    if at is not None:
        return done(at, "customer")
    rejection = facts.read(activation.facts, SignupRejected)
    if rejection is not None:
        what = "; ".join(error.message for error in rejection.errors[:5])
        words = Words(f"De inschrijving is niet in orde: {what}", f"The sign-up is wrong: {what}")
        at = facts.moment_of(activation.facts, SignupRejected)
        return failed(at, "signup_rejected", words, "customer")
    words = Words("De inschrijving is nog niet binnen.", "The sign-up is not in yet.")
    return current("signup_expected", words, "customer")


def _registering(activation: Onboarding, _now: datetime) -> State:
    at = facts.moment_of(activation.facts, RegistrationCompleted)
    if at is not None:
        return done(at, facts.actor_of(activation.facts, RegistrationCompleted) or "office")
    decline = facts.read(activation.facts, RegistrationDeclined)
    if decline is not None:
        at = facts.moment_of(activation.facts, RegistrationDeclined)
        nl, en = "Door het kantoor afgewezen", "Declined by the office"
        words = Words(f"{nl}: {decline.reason}", f"{en}: {decline.reason}")
        return failed(at, "declined", words, "nobody")
    if not facts.holds(activation.facts, SignupAccepted):
        return WAITING
    return _reviewing(activation.facts)


def _reviewing(known: Facts) -> State:
    since = facts.moment_of(known, SignupAccepted)
    warnings = facts.warnings_to_review(known)
    if not warnings and not facts.reviews_all(known):
        words = Words(
            "De klant wordt bij KING aangemeld.", "The customer is being registered with KING."
        )
        return current("registering", words, "nobody", since)
    due = Words(
        "Het kantoor moet de inschrijving controleren en aanmelden.",
        "The office must check the sign-up and register the customer.",
    )
    words = Words(*(" ".join(said) for said in zip(due, *warnings, strict=True)))
    return current("review", words, "office", since)


def _setting_up(activation: Onboarding, _now: datetime) -> State:
    at = facts.moment_of(activation.facts, AdministrationCreated)
    if at is not None:
        return done(at, facts.actor_of(activation.facts, AdministrationCreated) or "office")
    failure = facts.read(activation.facts, AdministrationFailed)
    if failure is not None:
        at = facts.moment_of(activation.facts, AdministrationFailed)
        words = Words(
            f"De administratie kon niet worden gemaakt: {failure.reason}",
            f"The administration could not be made: {failure.reason}",
        )
        return failed(at, "administration_failed", words, "office")
    since = facts.moment_of(activation.facts, RegistrationCompleted)
    if since is None:
        return WAITING
    words = Words("De administratie wordt nog gemaakt.", "The administration is still being made.")
    return current("administration_missing", words, "office", since)


def _confirming(activation: Onboarding, _now: datetime) -> State:
    at = facts.moment_of(activation.facts, OrderConfirmationSigned)
    if at is not None:
        return done(at, facts.actor_of(activation.facts, OrderConfirmationSigned) or "payer")
    registered = facts.moment_of(activation.facts, RegistrationCompleted)
    if registered is None:
        return WAITING
    return _unsigned(activation.facts, registered)


def _unsigned(known: Facts, registered: datetime) -> State:
    taken_back = facts.read(known, OrderSignatureWithdrawn)
    if taken_back is not None:
        withdrawn = taken_back.order_reference
        words = Words(
            f"De ondertekening van {withdrawn} is ongedaan gemaakt; wacht op een nieuwe.",
            f"The signature of {withdrawn} was taken back; a new one is waited for.",
        )
        since = facts.moment_of(known, OrderSignatureWithdrawn)
        return current("signature_missing", words, "payer", since)
    order = facts.said(known, OrderConfirmationSent, "order_reference")
    if order is None:
        nl, en = "De order-/incassobevestiging wordt verzonden.", "The confirmation is being sent."
        return current("confirmation_on_its_way", Words(nl, en), "king", registered)
    words = Words(
        f"Wacht op de ondertekende order-/incassobevestiging {order}.",
        f"Waiting for the signed order and direct-debit confirmation {order}.",
    )
    since = facts.moment_of(known, OrderConfirmationSent)
    return current("signature_missing", words, "payer", since)


def _releasing(activation: Onboarding, _now: datetime) -> State:
    known = activation.facts
    at = facts.moment_of(known, CustomerReleased)
    if at is not None:
        return done(at, facts.actor_of(known, CustomerReleased) or "king")
    at, taken_back = facts.moment_of(known, CustomerReleaseWithdrawn), facts.taken_back(known)
    held = [collection for collection in facts.collections(known) if collection.held]
    if held:
        words = Words(
            "Het incassoresultaat klopt niet met de order; KING moet beslissen.",
            "The collection's result does not match the order; KING must decide.",
        )
        since = facts.booked_at(known, held[-1])
        return failed(at, "collection_held", words, "king", since)
    if taken_back is not None:
        why = f"{taken_back.cause} ({taken_back.reason_code})"
        words = Words(f"De vrijgave is teruggenomen: {why}.", f"The release was taken back: {why}.")
        return failed(at, "release_withdrawn", words, "payer")
    return _collecting(known)


def _collecting(known: Facts) -> State:
    failure = facts.failure(known)
    if failure is not None:
        code = failure.reason_code
        words = Words(
            f"De incasso is niet gelukt ({code or 'onbekend'}).",
            f"The collection failed ({code or 'unknown'}).",
        )
        since = facts.booked_at(known, failure)
        return failed(None, "collection_failed", words, "payer", since)
    signed = facts.moment_of(known, OrderConfirmationSigned)
    if signed is None:
        return WAITING
    # Money before the signature is remembered; the release follows at the signature.
    words = Words("KING incasseert de factuur.", "KING is collecting the invoice.")
    return current("collection_expected", words, "king", signed)


def _activating(activation: Onboarding, now: datetime) -> State:
    arrived = activation.state == SENT and activation.may_be_sent and activation.can_log_in(now)
    worked = activation.first_login_at is not None and not activation.may_be_sent
    if arrived or worked or activation.has_own_access:
        return done(activation.sent_at, activation.ordered_by)
    if activation.suspended:
        words = Words(
            "De vrijgave is teruggenomen; de klant kan niet inloggen.",
            "The release was taken back; the customer cannot log in.",
        )
        return failed(activation.sent_at, "suspended", words, "payer")
    return _sending(activation) if activation.may_be_sent else WAITING


def _sending(activation: Onboarding) -> State:
    """The customer has no password that would let them in; what became of those they were sent."""
    ordered_at = activation.ordered_at
    if activation.state == SENDING:
        by = activation.ordered_by
        words = Words(
            f"De inloggegevens worden verzonden, besteld door {by}.",
            f"The login details are being sent, ordered by {by}.",
        )
        return current("sending", words, "nobody", ordered_at)
    if activation.state == UNDELIVERABLE:
        words = Words(
            "De inloggegevens zijn niet afgeleverd; controleer de gegevens en stuur opnieuw.",
            "The login details were not delivered; check the address and send them again.",
        )
        return failed(ordered_at, "undeliverable", words, "office")
    if activation.state == SENT:
        words = Words(
            "Het eenmalige wachtwoord geldt niet meer; stuur de inloggegevens opnieuw.",
            "The one-time password is no longer valid; send the login details again.",
        )
        ended_at = activation.expires_at or activation.sent_at
        return failed(ended_at, "credentials_expired", words, "office")
    words = Words("Vrijgegeven: stuur de inloggegevens.", "Released: send the login details.")
    return current("ready_to_activate", words, "office", _ready_since(activation.facts))


def _ready_since(known: Facts) -> datetime | None:
    needed = (SignupAccepted, CustomerReleased, AdministrationCreated)
    moments = [facts.moment_of(known, kind) for kind in needed]
    return max((moment for moment in moments if moment is not None), default=None)


def _logging_in(activation: Onboarding, now: datetime) -> State:
    if activation.first_login_at is not None:
        return done(activation.first_login_at, "customer")
    if activation.state == SENT and activation.may_be_sent and activation.can_log_in(now):
        words = Words("De klant kan inloggen.", "The customer can log in.")
        return current("login_expected", words, "customer", activation.sent_at)
    return WAITING


STATES: Mapping[str, Callable[[Onboarding, datetime], State]] = {
    "INSCHRIJVEN": _signing_up,
    "AANMELDEN": _registering,
    "INRICHTEN": _setting_up,
    "BEVESTIGEN": _confirming,
    "VRIJGEVEN": _releasing,
    "ACTIVEREN": _activating,
    "INLOGGEN": _logging_in,
}
"""The seven steps in their order, each with how it stands."""
