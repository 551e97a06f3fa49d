"""What is known of one onboarding: one slot for each kind of fact, filled in any order.

A slot keeps the fact that holds: what is conclusive before what is not, of two about one order the
higher revision, otherwise the later in time, otherwise the greater id. So every order of the same
events ends in the same facts.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from shared.base.words import Words
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
from shared.trade.form.warnings import warning_words

Facts = dict[str, dict[str, Any]]
E = TypeVar("E", bound=Event)

SLOTS: Mapping[type[Event], str] = {
    SignupAccepted: "signup",
    SignupRejected: "rejection",
    RegistrationCompleted: "registration",
    RegistrationDeclined: "decline",
    AdministrationCreated: "administration",
    AdministrationFailed: "administration",
    OrderConfirmationSent: "confirmation_sent",
    OrderConfirmationSigned: "confirmation_signed",
    OrderSignatureWithdrawn: "confirmation_signed",
    CustomerReleased: "release",
    CustomerReleaseWithdrawn: "release",
    OnboardingWithdrawn: "withdrawal",
}
"""Facts that share a slot contradict each other; the one that holds stays."""

OF_ORDERS = (
    OrderConfirmationSent,
    OrderConfirmationSigned,
    CustomerReleased,
    CustomerReleaseWithdrawn,
)
"""What names the order; the first that is known will do."""

NOT_PAID = ("failed", "returned", "refunded", "reversed")

COLLECTION = "collection/"
"""Each collection has a slot of its own, under its end-to-end id."""


def record(facts: Facts, event: Event, envelope: Envelope) -> Facts:
    """The facts with this event among them, when it is the one that holds."""
    slot = _slot(event)
    entry: dict[str, Any] = {
        "type": event.event_type,
        "at": envelope.time.isoformat(),
        "id": envelope.id,
        "data": event.model_dump(mode="json", exclude_none=True),
    }
    if envelope.actor is not None:
        entry["by"] = envelope.actor
    present = facts.get(slot)
    if present is not None and _weight(present) >= _weight(entry):
        return facts
    return {**facts, slot: entry}


def collections(facts: Facts) -> list[CollectionBooked]:
    """What holds of each collection, the latest attempt last."""
    booked = [
        CollectionBooked.model_validate(entry["data"])
        for slot, entry in facts.items()
        if slot.startswith(COLLECTION)
    ]
    return sorted(booked, key=lambda collection: (collection.attempt, collection.end_to_end_id))


def booked_at(facts: Facts, collection: CollectionBooked) -> datetime:
    """When what holds of this collection was booked."""
    return datetime.fromisoformat(facts[f"{COLLECTION}{collection.end_to_end_id}"]["at"])


def taken_back(facts: Facts) -> CustomerReleaseWithdrawn | None:
    """Why the customer is released no longer, until the payer has signed for another try."""
    withdrawn = read(facts, CustomerReleaseWithdrawn)
    return None if withdrawn is None or _signed_since(facts, withdrawn.revision) else withdrawn


def failure(facts: Facts) -> CollectionBooked | None:
    """The latest attempt, where it failed and the payer must do something about it.

    They need not where another attempt has brought the money, or where they have signed since:
    then KING is asked anew.
    """
    booked = collections(facts)
    if not booked or booked[-1].status not in NOT_PAID:
        return None
    paid = any(collection.status == "succeeded" for collection in booked)
    return None if paid or _signed_since(facts, booked[-1].revision) else booked[-1]


def _signed_since(facts: Facts, revision: int) -> bool:
    """Whether the signature is of this revision or a later one: the same act may say both."""
    signed = read(facts, OrderConfirmationSigned)
    return signed is not None and signed.revision is not None and signed.revision >= revision


def read(facts: Facts, kind: type[E]) -> E | None:
    """The fact of this kind that holds, if there is one."""
    entry = _entry(facts, kind)
    return None if entry is None else kind.model_validate(entry["data"])


def holds(facts: Facts, kind: type[Event]) -> bool:
    """Whether a fact of this kind holds; far cheaper than to read it."""
    return _entry(facts, kind) is not None


def moment_of(facts: Facts, kind: type[Event]) -> datetime | None:
    """When the fact of this kind that holds was said."""
    entry = _entry(facts, kind)
    return None if entry is None else datetime.fromisoformat(entry["at"])


def actor_of(facts: Facts, kind: type[Event]) -> str | None:
    """Whose request led to the fact of this kind that holds, if it was a person's."""
    entry = _entry(facts, kind)
    return None if entry is None else entry.get("by")


def said(facts: Facts, kind: type[Event], name: str) -> Any:
    """What one field of the fact of this kind that holds says, without reading the rest."""
    entry = _entry(facts, kind)
    return None if entry is None else entry["data"].get(name)


def warnings_to_review(facts: Facts) -> list[Words]:
    """What the office should look at in the sign-up before it registers the customer."""
    warnings = said(facts, SignupAccepted, "warnings") or ()
    # A field that an earlier version did not keep has its default, here as in the event's class.
    return [
        warning_words(warning["code"], warning["text"])
        for warning in warnings
        if warning.get("needs_review", False)
    ]


def reviews_all(facts: Facts) -> bool:
    """Whether the office looks at every sign-up, also where nothing in it calls for that."""
    office = said(facts, SignupAccepted, "office") or {}
    return bool(office.get("review", "flagged") == "always")


def references(facts: Facts) -> Mapping[str, str | None]:
    """The references that a customer has got so far, by their names."""
    orders = (said(facts, kind, "order_reference") for kind in OF_ORDERS)
    return {
        "reference": said(facts, SignupAccepted, "reference"),
        "customer_number": said(facts, RegistrationCompleted, "customer_number"),
        "administration_number": said(facts, AdministrationCreated, "administration_number"),
        "order_reference": next(filter(None, orders), None),
    }


def customer_signed_up(facts: Facts) -> Mapping[str, Any] | None:
    """The customer as they signed up, as it is kept."""
    entry = _entry(facts, SignupAccepted)
    return None if entry is None else entry["data"]["customer"]


def _entry(facts: Facts, kind: type[Event]) -> dict[str, Any] | None:
    entry = facts.get(SLOTS[kind])
    return entry if entry is not None and entry["type"] == kind.event_type else None


def _slot(event: Event) -> str:
    if isinstance(event, CollectionBooked):
        return f"{COLLECTION}{event.end_to_end_id}"
    return SLOTS[type(event)]


def _weight(entry: Mapping[str, Any]) -> tuple[bool, int, datetime, str]:
    # A copy that failed says nothing of the administration that another copy made.
    conclusive = entry["type"] != AdministrationFailed.event_type
    revision = entry["data"].get("revision", -1)
    return conclusive, int(revision), datetime.fromisoformat(entry["at"]), str(entry["id"])
