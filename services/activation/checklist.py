"""The checklist: where one customer stands, what blocks them, and who must act.

One pure function from what is known, and the time, to the seven steps; API, pages and mails all
use it, so that they never disagree. The order of the steps is that of the vendor's help page;
INRICHTEN and BEVESTIGEN go on side by side.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from services.activation import facts
from services.activation.facts import Facts
from services.activation.states import SENDING, SENT, UNDELIVERABLE
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

StepStatus = Literal["done", "current", "waiting", "failed"]
Actor = Literal["customer", "office", "payer", "king", "nobody"]


class Onboarding(Protocol):
    """What the checklist asks of one onboarding."""

    facts: Facts
    state: str | None
    ordered_by: str | None
    ordered_at: datetime | None
    sent_at: datetime | None
    expires_at: datetime | None
    first_login_at: datetime | None

    @property
    def signup(self) -> SignupAccepted | None:
        """The accepted sign-up."""

    @property
    def may_be_sent(self) -> bool:
        """Whether nothing stands in the way of sending credentials."""

    @property
    def suspended(self) -> bool:
        """Whether they were sent, and what they were for is taken back."""

    @property
    def has_own_access(self) -> bool:
        """Whether the customer has a password of their own, and has logged in."""

    def can_log_in(self, now: datetime) -> bool:
        """Whether some password would let the customer in."""


@dataclass(frozen=True)
class Step:
    """One of the seven steps; `by` says who did it, `at` when.

    It names the person whose request it was; where that is not known, in which part they act.
    """

    step: str
    status: StepStatus
    at: datetime | None = None
    by: str | None = None


@dataclass(frozen=True)
class Blocker:
    """Why the onboarding does not go on by itself, and who can help."""

    code: str
    text: str
    actor: Actor


@dataclass
class Checklist:
    """Where one customer stands."""

    steps: list[Step] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)

    @property
    def next_actor(self) -> Actor:
        """Who must act next; nobody when all is done or stopped."""
        return self.blockers[0].actor if self.blockers else "nobody"


def checklist(activation: Onboarding, now: datetime) -> Checklist:
    """Derive the seven steps, as they stand at this moment, from what is known."""
    stopped = _stopped(activation)
    result = Checklist()
    for name, state_of in STATES.items():
        state = state_of(activation, now)
        status = state.status
        if stopped and status in ("current", "waiting"):
            status = "waiting"
        result.steps.append(Step(name, status, state.at, state.by))
        if state.blocker and status in ("current", "failed") and not stopped:
            result.blockers.append(state.blocker)
    if stopped:
        result.blockers = [stopped]
    return result


def waits_for(activation: Onboarding, now: datetime) -> tuple[str, Actor]:
    """The first step that waits for somebody, empty if none does, and who that is.

    It is the first blocker of the checklist, found without the rest of it.
    """
    if _stopped(activation) is None:
        for name, state_of in STATES.items():
            state = state_of(activation, now)
            if state.blocker and state.status in ("current", "failed"):
                return name, state.blocker.actor
    return "", "nobody"


@dataclass(frozen=True)
class _State:
    status: StepStatus
    at: datetime | None = None
    by: str | None = None
    blocker: Blocker | None = None


def _done(at: datetime | None, by: str | None = None) -> _State:
    return _State("done", at, by)


def _current(code: str, text: str, actor: Actor) -> _State:
    return _State("current", blocker=Blocker(code, text, actor))


def _failed(at: datetime | None, code: str, text: str, actor: Actor) -> _State:
    return _State("failed", at, blocker=Blocker(code, text, actor))


WAITING = _State("waiting")


def _stopped(activation: Onboarding) -> Blocker | None:
    withdrawal = facts.read(activation.facts, OnboardingWithdrawn)
    if withdrawal is not None:
        return Blocker("withdrawn", f"Ingetrokken: {withdrawal.reason}", "nobody")
    return None


def _signing_up(activation: Onboarding, _now: datetime) -> _State:
    at = facts.moment_of(activation.facts, SignupAccepted)
    if at is not None:
        return _done(at, "customer")
    rejection = facts.read(activation.facts, SignupRejected)
    if rejection is not None:
        what = "; ".join(error.message for error in rejection.errors[:5])
        text = f"De inschrijving is niet in orde: {what}"
        at = facts.moment_of(activation.facts, SignupRejected)
        return _failed(at, "signup_rejected", text, "customer")
    return _current("signup_expected", "De inschrijving is nog niet binnen.", "customer")


def _registering(activation: Onboarding, _now: datetime) -> _State:
    at = facts.moment_of(activation.facts, RegistrationCompleted)
    if at is not None:
        return _done(at, facts.actor_of(activation.facts, RegistrationCompleted) or "office")
    decline = facts.read(activation.facts, RegistrationDeclined)
    if decline is not None:
        at = facts.moment_of(activation.facts, RegistrationDeclined)
        return _failed(at, "declined", f"Door het kantoor afgewezen: {decline.reason}", "nobody")
    if activation.signup is None:
        return WAITING
    warnings = [warning.text for warning in activation.signup.warnings if warning.needs_review]
    if activation.signup.office.review == "flagged" and not warnings:
        return _current("registering", "De klant wordt bij KING aangemeld.", "nobody")
    text = "Het kantoor moet de inschrijving controleren en aanmelden."
    return _current("review", " ".join([text, *warnings]), "office")


def _setting_up(activation: Onboarding, _now: datetime) -> _State:
    at = facts.moment_of(activation.facts, AdministrationCreated)
    if at is not None:
        return _done(at, facts.actor_of(activation.facts, AdministrationCreated) or "office")
    failure = facts.read(activation.facts, AdministrationFailed)
    if failure is not None:
        at = facts.moment_of(activation.facts, AdministrationFailed)
        text = f"De administratie kon niet worden gemaakt: {failure.reason}"
        return _failed(at, "administration_failed", text, "office")
    if not facts.holds(activation.facts, RegistrationCompleted):
        return WAITING
    return _current("administration_missing", "De administratie wordt nog gemaakt.", "office")


def _confirming(activation: Onboarding, _now: datetime) -> _State:
    at = facts.moment_of(activation.facts, OrderConfirmationSigned)
    if at is not None:
        return _done(at, facts.actor_of(activation.facts, OrderConfirmationSigned) or "payer")
    if not facts.holds(activation.facts, RegistrationCompleted):
        return WAITING
    taken_back = facts.read(activation.facts, OrderSignatureWithdrawn)
    if taken_back is not None:
        text = f"De ondertekening van {taken_back.order_reference} is ongedaan gemaakt; wacht op"
        return _current("signature_missing", f"{text} een nieuwe.", "payer")
    sent = facts.read(activation.facts, OrderConfirmationSent)
    if sent is None:
        text = "De order-/incassobevestiging wordt verzonden."
        return _current("confirmation_on_its_way", text, "king")
    text = f"Wacht op de ondertekende order-/incassobevestiging {sent.order_reference}."
    return _current("signature_missing", text, "payer")


def _releasing(activation: Onboarding, _now: datetime) -> _State:
    known = activation.facts
    at = facts.moment_of(known, CustomerReleased)
    if at is not None:
        return _done(at, facts.actor_of(known, CustomerReleased) or "king")
    at, taken_back = facts.moment_of(known, CustomerReleaseWithdrawn), facts.taken_back(known)
    if any(collection.held for collection in facts.collections(known)):
        text = "Het incassoresultaat klopt niet met de order; KING moet beslissen."
        return _failed(at, "collection_held", text, "king")
    if taken_back is not None:
        text = f"De vrijgave is teruggenomen: {taken_back.cause} ({taken_back.reason_code})."
        return _failed(at, "release_withdrawn", text, "payer")
    failure = facts.failure(known)
    if failure is not None:
        text = f"De incasso is niet gelukt ({failure.reason_code or 'onbekend'})."
        return _failed(None, "collection_failed", text, "payer")
    if not facts.holds(known, OrderConfirmationSigned):
        return WAITING
    # Money before the signature is remembered; the release follows at the signature.
    return _current("collection_expected", "KING incasseert de factuur.", "king")


def _activating(activation: Onboarding, now: datetime) -> _State:
    arrived = activation.state == SENT and activation.may_be_sent and activation.can_log_in(now)
    worked = activation.first_login_at is not None and not activation.may_be_sent
    if arrived or worked or activation.has_own_access:
        return _done(activation.sent_at, activation.ordered_by)
    if activation.suspended:
        text = "De vrijgave is teruggenomen; de klant kan niet inloggen."
        return _failed(activation.sent_at, "suspended", text, "payer")
    return _sending(activation) if activation.may_be_sent else WAITING


def _sending(activation: Onboarding) -> _State:
    """The customer has no password that would let them in; what became of those they were sent."""
    if activation.state == SENDING:
        text = f"De inloggegevens worden verzonden, besteld door {activation.ordered_by}."
        return _current("sending", text, "nobody")
    if activation.state == UNDELIVERABLE:
        text = "De inloggegevens zijn niet afgeleverd; controleer de gegevens en stuur opnieuw."
        return _failed(activation.ordered_at, "undeliverable", text, "office")
    if activation.state == SENT:
        text = "Het eenmalige wachtwoord geldt niet meer; stuur de inloggegevens opnieuw."
        return _failed(
            activation.expires_at or activation.sent_at, "credentials_expired", text, "office"
        )
    return _current("ready_to_activate", "Vrijgegeven: stuur de inloggegevens.", "office")


def _logging_in(activation: Onboarding, now: datetime) -> _State:
    if activation.first_login_at is not None:
        return _done(activation.first_login_at, "customer")
    if activation.state == SENT and activation.may_be_sent and activation.can_log_in(now):
        return _current("login_expected", "De klant kan inloggen.", "customer")
    return WAITING


STATES: Mapping[str, Callable[[Onboarding, datetime], _State]] = {
    "INSCHRIJVEN": _signing_up,
    "AANMELDEN": _registering,
    "INRICHTEN": _setting_up,
    "BEVESTIGEN": _confirming,
    "VRIJGEVEN": _releasing,
    "ACTIVEREN": _activating,
    "INLOGGEN": _logging_in,
}
"""The seven steps in their order, each with how it stands."""
