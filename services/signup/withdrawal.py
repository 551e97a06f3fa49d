"""Stopping an onboarding over HTTP: which one is meant, why it stops, and that it does."""

from pydantic import BaseModel, Field
from sqlmodel import Session, col, select

from services.signup.commands import Withdraw
from services.signup.models import Signup
from shared.host.runtime import Runtime
from shared.processing import Person
from shared.trade.references import as_onboarding_id, as_reference
from shared.trade.text import PlainLine
from shared.web.auth import Caller, not_there

NO_REASON = "op verzoek"


class WithdrawBody(BaseModel):
    """Why the onboarding stops."""

    reason: PlainLine = Field(default=NO_REASON, min_length=1, max_length=200)


def withdraw(
    runtime: Runtime, signup: Signup, body: WithdrawBody, *, by: Person, key: str | None = None
) -> Withdraw:
    """Stop an onboarding; returns what was asked for.

    Raises:
        Conflict: there is nothing left to stop.
    """
    command = Withdraw(by=by.name, reason=body.reason)
    runtime.handle(command, subject=signup.onboarding_id, by=by, key=key)
    return command


def load_or_404(session: Session, caller: Caller, reference: str) -> Signup:
    """The sign-up by its onboarding id, its reference, or the number that registration gave.

    Raises:
        NotFound: there is none, it was never accepted, or it is another office's.
    """
    onboarding_id = as_onboarding_id(reference)
    if onboarding_id is None:
        series, stored = as_reference(reference)
        column = col(Signup.customer_number if series == "K" else Signup.reference)
        signup = session.exec(select(Signup).where(column == stored)).one_or_none()
    else:
        signup = session.get(Signup, onboarding_id)
    if signup is None or not signup.contents_are_final:
        raise not_there()
    caller.require_office(signup.office_code)
    return signup
