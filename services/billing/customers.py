"""By what this service names its customers to operators."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from services.billing.models import Order
from shared.host.service import CustomerName
from shared.persistence.bulk import in_


def customer_names(session: Session, onboarding_ids: Sequence[str]) -> Mapping[str, CustomerName]:
    """The names of those of these customers whom the service knows."""
    company = col(Order.registered)[("customer", "company")].as_string()
    query = select(Order.onboarding_id, Order.reference, company).where(
        in_(session, Order.__table__.c.onboarding_id, onboarding_ids)  # type: ignore[attr-defined]
    )
    return {row[0]: CustomerName(row[1], row[2]) for row in session.exec(query)}
