"""By what activation names its customers, and finds them."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from services.activation.models import Activation
from shared.host.service import CustomerName
from shared.persistence.bulk import in_
from shared.trade.references import as_onboarding_id, as_reference
from shared.web.auth import Caller, not_there

SERIES = {
    "S": col(Activation.reference),
    "O": col(Activation.order_reference),
    "K": col(Activation.customer_number),
    "A": col(Activation.administration_number),
}
"""Activation hears of all the references that a customer gets."""


def find_customer(session: Session, reference: str) -> Activation | None:
    """The customer by their onboarding id, or by one of their references."""
    onboarding_id = as_onboarding_id(reference)
    if onboarding_id is not None:
        return session.get(Activation, onboarding_id)
    series, stored = as_reference(reference)
    if series not in SERIES:
        return None
    return session.exec(select(Activation).where(SERIES[series] == stored).limit(1)).first()


def load_visible(session: Session, caller: Caller, reference: str) -> Activation:
    """The customer by their onboarding id, or by a reference.

    Raises:
        NotFound: there is none, or they are another office's.
    """
    activation = find_customer(session, reference)
    if activation is None:
        raise not_there()
    caller.require_office(activation.office_code)
    return activation


def customer_names(session: Session, onboarding_ids: Sequence[str]) -> Mapping[str, CustomerName]:
    """The names of those of these customers whom the service knows."""
    query = select(Activation.onboarding_id, Activation.reference, Activation.company).where(
        in_(session, Activation.__table__.c.onboarding_id, onboarding_ids)  # type: ignore[attr-defined]
    )
    return {row[0]: CustomerName(row[1], row[2]) for row in session.exec(query)}
