"""Finding registrations: by status, by id, by the references of their customers."""

from typing import Literal

from sqlmodel import Session, col, select

from services.registration.models import Registration
from services.registration.responses import RegistrationDetail
from shared.host.runtime import Runtime
from shared.trade.references import as_onboarding_id, as_reference
from shared.web.auth import Caller, not_there
from shared.web.paging import Page

Status = Literal["review", "registered", "declined", "withdrawn"]

SERIES = {
    "S": col(Registration.reference),
    "K": col(Registration.customer_number),
    "A": col(Registration.administration_number),
}
"""The references that registration has heard of, or has given."""


def list_by_status(
    session: Session, caller: Caller, page: Page, status: Status
) -> list[Registration]:
    """Those of this status that the caller may see, whoever waits longest first."""
    heard_at = col(Registration.heard_at)
    # Withdrawn before the sign-up itself was heard: there is nothing yet to show of it.
    query = select(Registration).where(Registration.status == status, heard_at.is_not(None))
    if caller.office:
        query = query.where(Registration.office_code == caller.office)
    return page.read(session, query, heard_at, col(Registration.onboarding_id))


def detail(runtime: Runtime, caller: Caller, reference: str) -> RegistrationDetail:
    """All of a registration that the caller may see; its IBAN in full for KING alone.

    Raises:
        NotFound: as `load_or_404`.
    """
    with runtime.reading() as session:
        registration = load_or_404(session, caller, reference)
        acts = runtime.acts(session, registration.onboarding_id)
    return RegistrationDetail.of(registration, acts, whole=caller.office is None)


def load_or_404(session: Session, caller: Caller, reference: str) -> Registration:
    """The registration by its onboarding id, or by a reference of its customer.

    Raises:
        NotFound: there is none, its sign-up has not been heard, or it is another office's.
    """
    registration = _find(session, reference)
    if registration is None or registration.accepted is None:
        raise not_there()
    caller.require_office(registration.office_code)
    return registration


def _find(session: Session, reference: str) -> Registration | None:
    onboarding_id = as_onboarding_id(reference)
    if onboarding_id is not None:
        return session.get(Registration, onboarding_id)
    series, stored = as_reference(reference)
    if series not in SERIES:
        return None
    return session.exec(select(Registration).where(SERIES[series] == stored).limit(1)).first()


def visible(runtime: Runtime, caller: Caller, reference: str) -> str:
    """The onboarding id of a registration that the caller may see.

    Raises:
        NotFound: as `load_or_404`.
    """
    with runtime.reading() as session:
        return load_or_404(session, caller, reference).onboarding_id
