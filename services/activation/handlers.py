"""What activation does upon each event and request."""

from collections.abc import Sequence
from datetime import timedelta

from services.activation.checklist import checklist
from services.activation.commands import (
    ActivateCustomer,
    AmendContact,
    RemindOfExpiry,
    ResendCredentials,
)
from services.activation.login.names import base_of, free_name, names_to_try
from services.activation.models import SENDING, SENT, Activation
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
    RegistrationCompleted,
    RegistrationDeclined,
    SignupAccepted,
    SignupRejected,
)
from shared.events.envelope import Envelope
from shared.host.settings import Settings
from shared.notifications.messages import Mail, Text
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

CREDENTIALS = "credentials"


def note(
    event: Event, envelope: Envelope, activations: Loaded[Activation], settings: Settings
) -> Sequence[Effect]:
    """Take a fact in; when it makes the customer ready, tell the office."""
    activation = activations.get(envelope.subject) or activations.add(
        Activation(onboarding_id=envelope.subject, attempt=0, wrong_tries=0)
    )
    was_ready = activation.ready
    activation.note(event, envelope)
    if was_ready or not activation.ready:
        return []
    return [_may_be_activated(activation, settings)]


def activate(
    request: ActivateCustomer,
    envelope: Envelope,
    activations: Loaded[Activation],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Order credentials for a customer who is released and set up, once."""
    activation = _known(activations, envelope)
    if activation.state in (SENDING, SENT):
        raise Conflict(
            "already_sent",
            f"{activation.ordered_by} already had the credentials sent; to send them again, "
            "use resend.",
            extra=_standing(activation, now),
        )
    return _order(activation, activations, request.channel, request.by, settings, now)


def resend(
    request: ResendCredentials,
    envelope: Envelope,
    activations: Loaded[Activation],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Order fresh credentials; the former ones are void."""
    activation = _known(activations, envelope)
    if activation.state is None:
        raise Conflict("never_sent", "Nothing was sent yet; activate the customer first.")
    channel = request.channel or activation.channel or "email"
    return _order(activation, activations, channel, request.by, settings, now)


def amend(
    request: AmendContact, envelope: Envelope, activations: Loaded[Activation]
) -> Sequence[Effect]:
    """Correct the contact."""
    activation = _known(activations, envelope)
    if activation.signup is None:
        raise Conflict("not_signed_up", "The sign-up of this customer is not here yet.")
    activation.amend(request.email, request.mobile)
    return []


def remind_of_expiry(
    request: RemindOfExpiry, envelope: Envelope, activations: Loaded[Activation], now: Now
) -> Sequence[Effect]:
    """Nudge the customer when this very password is still good, and unused."""
    one = activations.get(envelope.subject)
    if one is None or one.attempt != request.attempt or one.state != SENT or one.first_login_at:
        return []
    if not one.may_be_sent or one.signup is None or not one.one_time_is_good(now):
        return []
    params = _greeting(one) | {"expires_at": one.expires_at and one.expires_at.isoformat()}
    return [Mail("credentials_expiring", one.email or "", one.signup.customer.language, params)]


def _order(
    activation: Activation,
    activations: Loaded[Activation],
    channel: str,
    by: str,
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    signup = activation.signup
    if not activation.may_be_sent or signup is None:
        raise Conflict(
            "not_ready", "This customer cannot be activated yet.", extra=_standing(activation, now)
        )
    to = activation.mobile if channel == "sms" else activation.email
    if not to:
        raise Conflict(
            "no_address",
            "There is no mobile number to send to; correct the contact or use e-mail.",
            extra=_standing(activation, now),
        )
    if activation.login_name is None:
        _name(activation, activations)
    attempt = activation.order(channel, by, now)
    letter = Text if channel == "sms" else Mail
    params = {"attempt": attempt, "login_name": activation.login_name} | _greeting(activation)
    due = now + timedelta(hours=max(settings.credentials_hours - 24, 1))
    return [
        letter(CREDENTIALS, to, signup.customer.language, params),
        Scheduled(
            RemindOfExpiry(attempt=attempt),
            due,
            key=f"remind_of_expiry/{activation.onboarding_id}/{attempt}",
        ),
    ]


def _name(activation: Activation, activations: Loaded[Activation]) -> None:
    # Whoever chooses the same name at the same moment and commits first has it: the database
    # refuses it to the other, whose work runs again and finds it taken.
    taken = {one.login_name for one in activations if one.login_name}
    activation.login_base = base_of(activation.company or "")
    activation.login_name = free_name(_names(activation), taken)


def _names(activation: Activation) -> list[str]:
    return names_to_try(base_of(activation.company or ""), activation.onboarding_id)


def _may_be_activated(activation: Activation, settings: Settings) -> Mail:
    signup = activation.signup
    assert signup is not None  # noqa: S101 - a customer is ready only when he signed up.
    link = f"{settings.base_url}/onboardings/{activation.onboarding_id}"
    params = {
        "reference": signup.reference,
        "company": signup.customer.company,
        "order_reference": activation.order_reference,
        "link": link,
    }
    return Mail("customer_released", signup.office.email, signup.office.language, params)


def _greeting(activation: Activation) -> dict[str, str]:
    signup = activation.signup
    if signup is None:
        return {}
    return {
        "reference": signup.reference,
        "contact": signup.customer.contact.full_name,
        "office": signup.office.name,
        "office_email": signup.office.email,
    }


def _standing(activation: Activation, now: Now) -> dict[str, object]:
    """What a person needs who was told no."""
    where = checklist(activation, now)
    return {
        "blockers": [vars(one) for one in where.blockers],
        "state": activation.state,
        "ordered_by": activation.ordered_by,
        "ordered_at": activation.ordered_at and activation.ordered_at.isoformat(),
    }


def _known(activations: Loaded[Activation], envelope: Envelope) -> Activation:
    activation = activations.get(envelope.subject)
    if activation is None:
        raise NotFound("not_found", "There is no onboarding by that id.")
    return activation


def _names_of_nameless(delivery: Message, batch: Entities) -> list[str]:
    activation = batch[Activation].get(delivery.envelope.subject)
    if activation is None or activation.login_name is not None:
        return []
    return _names(activation)


ACTIVATION = by_subject(Activation)
LOGIN_NAMES_TAKEN = Load(Activation, "login_name", _names_of_nameless, lock=False)

HEARD = (
    SignupAccepted,
    SignupRejected,
    RegistrationCompleted,
    RegistrationDeclined,
    AdministrationCreated,
    AdministrationFailed,
    OrderConfirmationSent,
    OrderConfirmationSigned,
    CollectionBooked,
    CustomerReleased,
    CustomerReleaseWithdrawn,
    OnboardingWithdrawn,
)

SUBSCRIPTIONS = [
    *(on(event, note, loads=[ACTIVATION]) for event in HEARD),
    on(ActivateCustomer, activate, loads=[ACTIVATION, LOGIN_NAMES_TAKEN]),
    on(ResendCredentials, resend, loads=[ACTIVATION, LOGIN_NAMES_TAKEN]),
    on(AmendContact, amend, loads=[ACTIVATION]),
    on(RemindOfExpiry, remind_of_expiry, loads=[ACTIVATION]),
]
