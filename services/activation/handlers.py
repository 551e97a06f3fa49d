"""What activation does upon each event and command."""

from collections.abc import Sequence
from datetime import timedelta

from services.activation.access import Access, lapsed_unused
from services.activation.commands import (
    ActivateCustomer,
    AmendContact,
    LapseCredentials,
    RemindOfExpiry,
    ResendCredentials,
    SendLink,
)
from services.activation.history import HeardFact
from services.activation.links import send_link
from services.activation.login.names import base_of, free_name, names_to_try
from services.activation.mails import (
    contact_changed,
    credentials,
    credentials_expiring,
)
from services.activation.models import SENDING, SENT, Activation
from services.activation.responses import refusal_details
from services.activation.search import SearchTerm, keep_terms
from services.activation.sending import resend_pause_ends
from services.activation.upcoming import expiry_reminder_at
from shared.base.errors import Conflict, NotFound
from shared.events import (
    AdministrationCreated,
    AdministrationFailed,
    CollectionBooked,
    CustomerReleased,
    CustomerReleaseWithdrawn,
    Event,
    OnboardingWithdrawn,
    OrderConfirmationSent,
    OrderConfirmationSigned,
    OrderSignatureWithdrawn,
    RegistrationCompleted,
    RegistrationDeclined,
    SignupAccepted,
    SignupRejected,
)
from shared.events.envelope import Envelope
from shared.host.settings import Settings
from shared.processing import (
    Effect,
    Entities,
    Load,
    Loaded,
    Message,
    Now,
    Scheduled,
    by_subject,
    on,
)


def record_fact(
    event: Event,
    envelope: Envelope,
    activations: Loaded[Activation],
    heard: Loaded[HeardFact],
    terms: Loaded[SearchTerm],
    now: Now,
) -> Sequence[Effect]:
    """Record a fact; tell the office who is ready, and a customer who is in no longer, or again."""
    if envelope.id not in heard:
        heard.add(HeardFact.of(event, envelope))
    activation = activations.get(envelope.subject) or activations.add(
        Activation(onboarding_id=envelope.subject, attempt=0, wrong_tries=0)
    )
    before, told_anew = Access.of(activation), activation.told_anew(event)
    activation.record_fact(event, envelope)
    if told_anew:
        keep_terms(activation, terms)
    return before.news(activation, now)


def activate(
    command: ActivateCustomer,
    envelope: Envelope,
    activations: Loaded[Activation],
    terms: Loaded[SearchTerm],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Order credentials for a customer who is released and set up, once."""
    activation = _load_or_404(activations, envelope)
    if activation.state in (SENDING, SENT):
        raise Conflict(
            "already_sent",
            f"{activation.ordered_by} already had the credentials sent; to send them again, "
            "use resend.",
            extra=refusal_details(activation, now),
        )
    effects = _order_credentials(
        activation, activations, command.channel, command.by, settings, now
    )
    keep_terms(activation, terms)  # They may have got their login name just now.
    return effects


def resend(
    command: ResendCredentials,
    envelope: Envelope,
    activations: Loaded[Activation],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Order fresh credentials; the former ones are void."""
    activation = _load_or_404(activations, envelope)
    if activation.state is None:
        raise Conflict("never_sent", "Nothing was sent yet; activate the customer first.")
    if command.patient and resend_pause_ends(activation, now):
        text = "They were sent a moment ago; wait two minutes for them to arrive."
        raise Conflict("just_sent", text, extra=refusal_details(activation, now))
    channel = command.channel or activation.channel or "email"
    return _order_credentials(activation, activations, channel, command.by, settings, now)


def amend(
    command: AmendContact,
    envelope: Envelope,
    activations: Loaded[Activation],
    terms: Loaded[SearchTerm],
    now: Now,
) -> Sequence[Effect]:
    """Correct the contact, and tell the customer where they were reached until now."""
    activation = _load_or_404(activations, envelope)
    signup, former = activation.signup, activation.email
    if signup is None or former is None:
        raise Conflict("not_signed_up", "The sign-up of this customer is not here yet.")
    if command.before_activation and activation.attempt:
        raise Conflict("already_activated", "Your office can change it; ask them.")
    changed = activation.amend(command.email, command.mobile, now)
    if changed is None:
        return []  # It was like that before: nothing that was sent becomes void.
    keep_terms(activation, terms)
    return [changed, *contact_changed(signup, former, changed)]


def remind_of_expiry(
    command: RemindOfExpiry, envelope: Envelope, activations: Loaded[Activation], now: Now
) -> Sequence[Effect]:
    """Nudge the customer when this very password is still good, and unused."""
    activation = activations.get(envelope.subject)
    if activation is None or activation.attempt != command.attempt:
        return []
    if activation.state == SENDING:
        later = f"remind_of_expiry/{activation.onboarding_id}/{command.attempt}/{now.isoformat()}"
        return [Scheduled(command, now + timedelta(hours=1), key=later)]
    effects = lapse(LapseCredentials(attempt=command.attempt), envelope, activations, now)
    signup, unused = activation.signup, activation.first_login_at is None
    good = activation.may_be_sent and activation.one_time_is_good(now)
    if activation.state != SENT or signup is None or not (unused and good):
        return effects
    return [credentials_expiring(activation, signup), *effects]


def lapse(
    command: LapseCredentials, envelope: Envelope, activations: Loaded[Activation], now: Now
) -> Sequence[Effect]:
    """Take note that this very password has ended, or look again when it does."""
    activation = activations.get(envelope.subject)
    if activation is None or activation.attempt != command.attempt:
        return []
    ends = activation.expires_at
    if activation.one_time_hash is None or ends is None:
        return []
    if activation.one_time_is_good(now):
        return [Scheduled(command, ends, key=f"lapse/{activation.onboarding_id}/{ends}")]
    activation.lapse()
    return lapsed_unused(activation)


def _order_credentials(
    activation: Activation,
    activations: Loaded[Activation],
    channel: str,
    by: str,
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Order one message with credentials, and a reminder a day before they expire.

    Raises:
        Conflict: the customer is not ready, or cannot be reached that way.
    """
    signup = activation.signup
    if not activation.may_be_sent or signup is None:
        raise Conflict(
            "not_ready",
            "This customer cannot be activated yet.",
            extra=refusal_details(activation, now),
        )
    to = activation.mobile if channel == "sms" else activation.email
    if not to:
        raise Conflict(
            "no_address",
            "There is no mobile number to send to; correct the contact or use e-mail.",
            extra=refusal_details(activation, now),
        )
    if activation.login_name is None:
        _give_login_name(activation, activations)
    attempt = activation.order(channel, by, now)
    due = expiry_reminder_at(now, settings)
    key = f"remind_of_expiry/{activation.onboarding_id}/{attempt}"
    return [
        credentials(activation, signup, channel, to, attempt),
        Scheduled(RemindOfExpiry(attempt=attempt), due, key=key),
    ]


def _give_login_name(activation: Activation, activations: Loaded[Activation]) -> None:
    # Whoever chooses the same name at the same moment and commits first has it: the database
    # refuses it to the other, whose work runs again and finds it taken.
    taken = {other.login_name for other in activations if other.login_name}
    activation.login_base = base_of(activation.company or "")
    activation.login_name = free_name(_names(activation), taken)


def _names(activation: Activation) -> list[str]:
    return names_to_try(base_of(activation.company or ""), activation.onboarding_id)


def _load_or_404(activations: Loaded[Activation], envelope: Envelope) -> Activation:
    """The activation that a command is about.

    Raises:
        NotFound: nothing was heard of it.
    """
    activation = activations.get(envelope.subject)
    if activation is None:
        raise NotFound("not_found", "There is no onboarding by that id.")
    return activation


def _names_of_nameless(message: Message, entities: Entities) -> list[str]:
    activation = entities[Activation].get(message.envelope.subject)
    if activation is None or activation.login_name is not None:
        return []
    return _names(activation)


def _whose_terms(message: Message, entities: Entities) -> str | None:
    """Whose search terms may change with this message; most facts tell nothing to search for."""
    content, subject = message.content, message.envelope.subject
    if isinstance(content, Event):
        activation = entities[Activation].get(subject) or Activation(onboarding_id=subject)
        return subject if activation.told_anew(content) else None
    return subject


ACTIVATION = by_subject(Activation)
LOGIN_NAMES_TAKEN = Load(Activation, "login_name", _names_of_nameless, lock=False)

HEARD = Load(HeardFact, "id", lambda message, _entities: message.envelope.id, lock=False)
TERMS = Load(SearchTerm, "onboarding_id", _whose_terms)

FACTS = (
    SignupAccepted,
    SignupRejected,
    RegistrationCompleted,
    RegistrationDeclined,
    AdministrationCreated,
    AdministrationFailed,
    OrderConfirmationSent,
    OrderConfirmationSigned,
    OrderSignatureWithdrawn,
    CollectionBooked,
    CustomerReleased,
    CustomerReleaseWithdrawn,
    OnboardingWithdrawn,
)

SUBSCRIPTIONS = [
    *(on(event, record_fact, loads=[ACTIVATION, HEARD, TERMS]) for event in FACTS),
    on(ActivateCustomer, activate, loads=[ACTIVATION, LOGIN_NAMES_TAKEN, TERMS]),
    on(ResendCredentials, resend, loads=[ACTIVATION, LOGIN_NAMES_TAKEN]),
    on(AmendContact, amend, loads=[ACTIVATION, TERMS]),
    on(SendLink, send_link, loads=[ACTIVATION]),
    on(RemindOfExpiry, remind_of_expiry, loads=[ACTIVATION]),
    on(LapseCredentials, lapse, loads=[ACTIVATION]),
]
