"""By what this service names its customers to operators."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from services.signup.models import Signup
from shared.host.service import CustomerName
from shared.persistence.bulk import in_


def customer_names(session: Session, onboarding_ids: Sequence[str]) -> Mapping[str, CustomerName]:
    """The names of those of these customers whom the service knows."""
    company = col(Signup.accepted)[("customer", "company")].as_string()
    query = select(Signup.onboarding_id, Signup.reference, company).where(
        in_(session, Signup.__table__.c.onboarding_id, onboarding_ids)  # type: ignore[attr-defined]
    )
    return {row[0]: CustomerName(row[1], row[2]) for row in session.exec(query)}
