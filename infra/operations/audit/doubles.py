"""What happened twice: facts said once, numbers of one customer, orders that nobody caused."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from pydantic_core import from_json
from sqlalchemy import func, select, union_all
from sqlmodel import col

from infra.operations.audit.books import Finding, Ledgers
from infra.operations.audit.customers import DECIDE
from infra.operations.audit.pages import pages
from services.activation.models import Activation
from services.billing.models import Collection, Order
from services.billing.models.collection import REQUESTED
from services.registration.models import Registration
from shared.events import (
    CollectionRequested,
    CustomerLoggedIn,
    CustomerReleased,
    CustomerReleaseWithdrawn,
    OnboardingWithdrawn,
    OrderConfirmationSent,
    OrderConfirmationSigned,
    RegistrationCompleted,
    RegistrationDeclined,
    SignupAccepted,
)
from shared.persistence.bulk import in_
from shared.processing.store.tables import Outbox

TOLD_APART_BY: Mapping[str, Sequence[str]] = {
    SignupAccepted.event_type: (),
    RegistrationCompleted.event_type: (),
    RegistrationDeclined.event_type: (),
    OrderConfirmationSent.event_type: (),
    OrderConfirmationSigned.event_type: ("order_reference", "revision"),
    CollectionRequested.event_type: ("end_to_end_id",),
    CustomerReleased.event_type: ("order_reference", "revision"),
    CustomerReleaseWithdrawn.event_type: ("order_reference", "revision"),
    CustomerLoggedIn.event_type: (),
    OnboardingWithdrawn.event_type: (),
}
"""Events of which a customer has one, or one for each value of these fields."""

OF_ONE_CUSTOMER: Mapping[str, Sequence[Any]] = {
    "registration": (
        col(Registration.reference),
        col(Registration.customer_number),
        col(Registration.administration_number),
    ),
    "activation": (
        col(Activation.reference),
        col(Activation.order_reference),
        col(Activation.customer_number),
        col(Activation.administration_number),
    ),
}
"""Numbers that one customer has; what the databases themselves keep unique is left out."""


def find_doubles(ledgers: Ledgers, since: datetime | None) -> Iterator[Finding]:
    """What happened twice; of what was said before `since`, nothing is looked at.

    Raises:
        SQLAlchemyError: a database is away.
    """
    for name in ledgers:
        yield from _said_twice(ledgers, name, since)
    if since is None:
        yield from _shared_numbers(ledgers)
        yield from _orders_of_nobody(ledgers)
    yield from _asked_twice(ledgers)


def _said_twice(ledgers: Ledgers, speaker: str, since: datetime | None) -> Iterator[Finding]:
    service, database = ledgers[speaker]
    said = _events([event for event in service.says if event in TOLD_APART_BY], since)
    by_customer = said.c.type, said.c.subject
    twice = select(*by_customer).group_by(*by_customer).having(func.count() > 1).subquery()
    both = (said.c.type == twice.c.type) & (said.c.subject == twice.c.subject)
    query = select(*by_customer, said.c.body).join(twice, both).order_by(*by_customer)
    with database.read() as session:
        rows = session.execute(query.execution_options(yield_per=200))
        for (event, onboarding_id), together in groupby(rows, lambda row: (row.type, row.subject)):
            told = Counter(_told_apart(event, row.body) for row in together)
            for values, number in told.items():
                if number > 1:
                    yield _said(speaker, event, onboarding_id, values, number)


def _events(types: Sequence[str], since: datetime | None) -> Any:
    """The events of these types; of late ones the published and the others, each by its index."""
    at = col(Outbox.published_at)
    columns = col(Outbox.type), col(Outbox.subject), col(Outbox.body)
    query = select(*columns).where(col(Outbox.type).in_(types))
    if since is None:
        return query.subquery()
    return union_all(query.where(at >= since), query.where(at.is_(None))).subquery()


def _told_apart(event: str, body: bytes) -> tuple[str, ...]:
    data = from_json(body)["data"]
    return tuple(f"{name} {data.get(name)}" for name in TOLD_APART_BY[event])


def _said(
    speaker: str, event: str, onboarding_id: str, values: Sequence[str], number: int
) -> Finding:
    which = f" with {', '.join(values)}" if values else ""
    times = "twice" if number == 2 else f"{number} times"
    sentence = f"{speaker} said {event}{which} {times} of {onboarding_id}"
    return Finding("doubled", sentence, DECIDE.format(id=onboarding_id), onboarding_id)


def _shared_numbers(ledgers: Ledgers) -> Iterator[Finding]:
    for service, columns in OF_ONE_CUSTOMER.items():
        for column in columns:
            query = select(column, func.count()).where(column.is_not(None)).group_by(column)
            with ledgers[service][1].read() as session:
                for value, number in session.execute(query.having(func.count() > 1)):
                    yield Finding(
                        "doubled",
                        f"{number} customers of {service} have the {_words(column)} {value}",
                        f"a person must give each their own: `stappenplan status {value}` and "
                        f"{service}'s database show them",
                    )


def _words(column: Any) -> str:
    return str(column.key).replace("_", " ")


def _orders_of_nobody(ledgers: Ledgers) -> Iterator[Finding]:
    """Orders that no registration led to: a second one of somebody, as a rule."""
    key, number = col(Order.onboarding_id), col(Order.registered)["customer_number"].as_string()
    query = select(key, col(Order.reference), number.label("customer")).where(
        col(Order.reference).is_not(None)
    )
    for page in pages(ledgers["billing"][1], query, key):
        ids = [row.onboarding_id for row in page]
        registered = select(col(Registration.onboarding_id)).where(
            col(Registration.customer_number).is_not(None)
        )
        with ledgers["registration"][1].read() as session:
            of_page = in_(session, Registration.__table__.c.onboarding_id, ids)  # type: ignore[attr-defined]
            caused = set(session.execute(registered.where(of_page)).scalars())
        for row in page:
            if row.onboarding_id not in caused:
                yield Finding(
                    "doubled",
                    f"order {row.reference} of {row.customer} was placed for {row.onboarding_id}, "
                    "whom nobody registered",
                    f"see that nobody collects it: `stappenplan status {row.customer}` shows the "
                    "customer and the order that is theirs",
                    row.onboarding_id,
                )


def _asked_twice(ledgers: Ledgers) -> Iterator[Finding]:
    """Orders for which KING is asked for two collections at a time."""
    order = col(Collection.order_reference)
    open_ones = select(order, func.count()).where(
        col(Collection.status) == REQUESTED, col(Collection.held) == 0
    )
    with ledgers["billing"][1].read() as session:
        for reference, number in session.execute(
            open_ones.group_by(order).having(func.count() > 1)
        ):
            yield Finding(
                "doubled",
                f"KING is asked for {number} collections of order {reference} at a time",
                f"have KING make one of them: `stappenplan status {reference}` shows the customer",
            )
