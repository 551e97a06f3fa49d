"""By what this service names its customers to operators."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from services.registration.models import Registration
from shared.host.service import CustomerName
from shared.persistence.bulk import in_


def customer_names(session: Session, onboarding_ids: Sequence[str]) -> Mapping[str, CustomerName]:
    """The names of those of these customers whom the service knows."""
    company = col(Registration.accepted)[("customer", "company")].as_string()
    query = select(Registration.onboarding_id, Registration.reference, company).where(
        in_(session, Registration.__table__.c.onboarding_id, onboarding_ids)  # type: ignore[attr-defined]
    )
    return {row[0]: CustomerName(row[1], row[2]) for row in session.exec(query)}
