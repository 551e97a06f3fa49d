"""What activation answers over HTTP."""

from dataclasses import asdict, dataclass
from datetime import datetime

from pydantic import BaseModel

from services.activation.checklist import Actor, Blocker, Step, checklist
from services.activation.models import Activation
from services.activation.seen import Customer

# What is made of our own rows was checked on its way in: a page of a list is made of plain objects,
# which FastAPI holds against the same types when it writes them.


@dataclass(frozen=True, slots=True)
class BlockerAnswer:
    """Why the onboarding does not go on by itself, and who can help."""

    code: str
    text: str
    actor: Actor

    @classmethod
    def of(cls, blocker: Blocker) -> "BlockerAnswer":
        """The same, as programs read it."""
        return cls(code=blocker.code, text=blocker.text, actor=blocker.actor)


@dataclass(frozen=True, slots=True)
class OnboardingAnswer:
    """Where one customer stands: the checklist, what blocks, who must act."""

    onboarding_id: str
    reference: str | None
    office_code: str | None
    company: str | None
    order_reference: str | None
    administration_number: str | None
    login_name: str | None
    steps: list[Step]
    blockers: list[BlockerAnswer]
    next_actor: Actor

    @classmethod
    def of(cls, activation: Customer, now: datetime) -> "OnboardingAnswer":
        """One customer's checklist at this moment."""
        where = checklist(activation, now)
        return cls(
            onboarding_id=activation.onboarding_id,
            reference=activation.reference,
            office_code=activation.office_code,
            company=activation.company,
            order_reference=activation.order_reference,
            administration_number=activation.administration_number,
            login_name=activation.login_name,
            steps=where.steps,
            blockers=[BlockerAnswer.of(blocker) for blocker in where.blockers],
            next_actor=where.next_actor,
        )


class ReadyAnswer(BaseModel):
    """A customer who waits for credentials.

    E-mail address and number are shown in full, so that staff can verify them before anything is
    sent there.
    """

    onboarding_id: str
    reference: str | None
    company: str | None
    office_code: str | None
    preferred_channel: str | None
    email: str | None
    mobile: str | None
    state: str | None

    @classmethod
    def of(cls, activation: Activation) -> "ReadyAnswer":
        """What staff need to know before they send anything."""
        signup = activation.signup
        return cls(
            onboarding_id=activation.onboarding_id,
            reference=activation.reference,
            company=activation.company,
            office_code=activation.office_code,
            preferred_channel=signup.preferred_channel if signup else None,
            email=activation.email,
            mobile=activation.mobile,
            state=activation.state,
        )


def refusal_details(activation: Activation, now: datetime) -> dict[str, object]:
    """Where the customer stands, for a person who is refused."""
    blockers = checklist(activation, now).blockers
    return {
        "blockers": [asdict(BlockerAnswer.of(blocker)) for blocker in blockers],
        "state": activation.state,
        "ordered_by": activation.ordered_by,
        "ordered_at": activation.ordered_at and activation.ordered_at.isoformat(),
    }
