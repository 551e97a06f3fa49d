"""By what activation names its customers, and finds them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from services.activation.models import Activation
from services.activation.seen import COLUMNS, Seen
from shared.host.service import CustomerName
from shared.persistence.bulk import in_
from shared.trade.references import as_onboarding_id, as_reference
from shared.web.auth import Caller, not_there

C = TypeVar("C", Activation, Seen)

SERIES: Mapping[str, Any] = {
    "S": col(Activation.reference),
    "O": col(Activation.order_reference),
    "K": col(Activation.customer_number),
    "A": col(Activation.administration_number),
}
"""Activation hears of all the references that a customer gets."""


def find_customer(session: Session, reference: str) -> Activation | None:
    """The customer by their onboarding id, or by one of their references."""
    name, stored = _place_of(reference)
    if name is None:
        return None
    column = getattr(Activation, name)
    return session.exec(select(Activation).where(column == stored).limit(1)).first()


def find_seen(session: Session, reference: str) -> Seen | None:
    """The same, for whoever only shows where they stand."""
    name, stored = _place_of(reference)
    row = session.execute(_seen_by(name), {"stored": stored}).first() if name else None
    return Seen(*row) if row else None


@cache
def _seen_by(name: str) -> Select[*tuple[Any, ...]]:
    """Made once: that takes as long as its answer does."""
    column = getattr(Activation, name)
    return sql_select(*COLUMNS).where(column == bindparam("stored")).limit(1)


def _place_of(reference: str) -> tuple[str | None, str]:
    """The column in which a reference stands, if any does, and how it stands there."""
    onboarding_id = as_onboarding_id(reference)
    if onboarding_id is not None:
        return "onboarding_id", onboarding_id
    series, stored = as_reference(reference)
    return (SERIES[series].key if series in SERIES else None), stored


def load_visible(session: Session, caller: Caller, reference: str) -> Activation:
    """The customer by their onboarding id, or by a reference.

    Raises:
        NotFound: there is none, or they are another office's.
    """
    return _visible(caller, find_customer(session, reference))


def load_seen(session: Session, caller: Caller, reference: str) -> Seen:
    """The same, for whoever only shows where they stand.

    Raises:
        NotFound: as `load_visible`.
    """
    return _visible(caller, find_seen(session, reference))


def _visible(caller: Caller, customer: C | None) -> C:
    if customer is None:
        raise not_there()
    caller.require_office(customer.office_code)
    return customer


def customer_names(session: Session, onboarding_ids: Sequence[str]) -> Mapping[str, CustomerName]:
    """The names of those of these customers whom the service knows."""
    query = select(Activation.onboarding_id, Activation.reference, Activation.company).where(
        in_(session, Activation.__table__.c.onboarding_id, onboarding_ids)  # type: ignore[attr-defined]
    )
    return {row[0]: CustomerName(row[1], row[2]) for row in session.exec(query)}
