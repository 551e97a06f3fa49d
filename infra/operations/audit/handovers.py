"""What one service must know once another does: the facts that events hand over, in one table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlmodel import Session, col

from services.activation import facts
from services.activation.models import Activation
from services.billing.models import Order, Standing
from services.registration.models import DECLINED, WITHDRAWN, Registration
from services.signup.models import DECLINED as SIGNUP_DECLINED
from services.signup.models import WITHDRAWN as SIGNUP_WITHDRAWN
from services.signup.models import Signup
from shared.events import (
    AdministrationCreated,
    CustomerLoggedIn,
    CustomerReleased,
    CustomerReleaseWithdrawn,
    Event,
    OnboardingWithdrawn,
    OrderConfirmationSigned,
    RegistrationCompleted,
    RegistrationDeclined,
    SignupAccepted,
)
from shared.persistence.bulk import in_

Known = Row[Any]
"""What a service knows of one customer."""


def _holding(kind: type[Event]) -> Any:
    """The type of the fact that holds in the slot of this kind: no more of it is read."""
    slot = facts.SLOTS[kind]
    return col(Activation.facts)[(slot, "type")].as_string().label(slot)


COLUMNS: Mapping[str, Sequence[Any]] = {
    "signup": (
        col(Signup.onboarding_id),
        col(Signup.reference),
        col(Signup.status),
        col(Signup.logged_in_at),
        col(Signup.accepted)["reference"].as_string().label("accepted_as"),
    ),
    "registration": (
        col(Registration.onboarding_id),
        col(Registration.reference),
        col(Registration.status),
        col(Registration.customer_number),
        col(Registration.administration_number),
    ),
    "billing": (
        col(Order.onboarding_id),
        col(Order.reference),
        col(Order.signed_on),
        col(Order.standing),
        col(Order.withdrawn),
        col(Order.registered)["customer_number"].as_string().label("customer_number"),
    ),
    "activation": (
        col(Activation.onboarding_id),
        col(Activation.reference),
        col(Activation.customer_number),
        col(Activation.administration_number),
        col(Activation.order_reference),
        col(Activation.first_login_at),
        _holding(CustomerReleased),
        _holding(OnboardingWithdrawn),
        _holding(RegistrationDeclined),
    ),
}


@dataclass(frozen=True)
class Handover:
    """One fact: what `owed` finds at the speaker, `known` must find at the hearer.

    Nothing is owed where it finds None. What is known and is something else is doubled: one
    customer has two of what they have one of.
    """

    event: str
    speaker: str
    hearer: str
    owed: Callable[[Known], object]
    known: Callable[[Known], object]


def _where(condition: bool) -> bool | None:
    return condition or None


def _holds(kind: type[Event]) -> Callable[[Known], bool | None]:
    return lambda row: _where(row._mapping[facts.SLOTS[kind]] == kind.event_type)


def _released(order: Known) -> bool | None:
    return _where(order.standing == Standing.RELEASED.value)


def _taken_back(order: Known) -> bool | None:
    return _where(order.standing == Standing.TAKEN_BACK.value)


HANDOVERS = (
    *(
        Handover(
            SignupAccepted.event_type,
            "signup",
            hearer,
            lambda signup: signup.accepted_as,
            lambda row: row.reference,
        )
        for hearer in ("registration", "activation")
    ),
    *(
        Handover(
            RegistrationCompleted.event_type,
            "registration",
            hearer,
            lambda registration: registration.customer_number,
            lambda row: row.customer_number,
        )
        for hearer in ("billing", "activation")
    ),
    Handover(
        RegistrationDeclined.event_type,
        "registration",
        "signup",
        lambda registration: _where(registration.status == DECLINED),
        lambda signup: _where(signup.status in (SIGNUP_DECLINED, SIGNUP_WITHDRAWN)),
    ),
    Handover(
        RegistrationDeclined.event_type,
        "registration",
        "activation",
        lambda registration: _where(registration.status == DECLINED),
        _holds(RegistrationDeclined),
    ),
    Handover(
        AdministrationCreated.event_type,
        "registration",
        "activation",
        lambda registration: registration.administration_number,
        lambda row: row.administration_number,
    ),
    Handover(
        OrderConfirmationSigned.event_type,
        "billing",
        "activation",
        lambda order: order.reference if order.signed_on else None,
        lambda row: row.order_reference,
    ),
    Handover(
        CustomerReleased.event_type,
        "billing",
        "activation",
        _released,
        _holds(CustomerReleased),
    ),
    Handover(
        CustomerReleaseWithdrawn.event_type,
        "billing",
        "activation",
        _taken_back,
        _holds(CustomerReleaseWithdrawn),
    ),
    Handover(
        CustomerLoggedIn.event_type,
        "activation",
        "signup",
        lambda row: _where(row.first_login_at is not None),
        lambda signup: _where(signup.logged_in_at is not None),
    ),
    Handover(
        OnboardingWithdrawn.event_type,
        "signup",
        "registration",
        lambda signup: _where(signup.status == SIGNUP_WITHDRAWN),
        lambda registration: _where(registration.status == WITHDRAWN),
    ),
    Handover(
        OnboardingWithdrawn.event_type,
        "signup",
        "billing",
        lambda signup: _where(signup.status == SIGNUP_WITHDRAWN),
        lambda order: _where(order.withdrawn),
    ),
    Handover(
        OnboardingWithdrawn.event_type,
        "signup",
        "activation",
        lambda signup: _where(signup.status == SIGNUP_WITHDRAWN),
        _holds(OnboardingWithdrawn),
    ),
)
"""Speakers are read before hearers, so that what is missing was said already; see `ORDER`."""

ORDER = ("signup", "registration", "billing", "activation")


def read_known(session: Session, service: str, ids: Sequence[str]) -> Mapping[str, Known]:
    """What a service knows of these customers."""
    key = COLUMNS[service][0]
    query = select(*COLUMNS[service]).where(in_(session, key, ids))
    return {row.onboarding_id: row for row in session.execute(query)}
