"""The checklist: where one customer stands, what blocks them, and who must act.

One pure function from what is known, and the time, to the seven steps; API, pages and mails all
use it, so that they never disagree. Each step has its function in `steps.py`.
"""

from dataclasses import dataclass, field
from datetime import datetime

from services.activation.standing import Actor, Blocker, Onboarding, StepStatus
from services.activation.steps import STATES, stopped

__all__ = ["Actor", "Blocker", "Checklist", "Step", "StepStatus", "checklist", "waits_for"]


@dataclass(slots=True)
class Step:
    """One of the seven steps; `by` says who did it, `at` when.

    It names the person whose request it was; where that is not known, in which part they act.
    """

    step: str
    status: StepStatus
    at: datetime | None = None
    by: str | None = None


@dataclass
class Checklist:
    """Where one customer stands."""

    steps: list[Step] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)

    @property
    def next_actor(self) -> Actor:
        """Who must act next; nobody when all is done or stopped."""
        return self.blockers[0].actor if self.blockers else "nobody"


def checklist(activation: Onboarding, now: datetime) -> Checklist:
    """Derive the seven steps, as they stand at this moment, from what is known."""
    end = stopped(activation)
    result = Checklist()
    for name, state_of in STATES.items():
        state = state_of(activation, now)
        status = state.status
        if end and status in ("current", "waiting"):
            status = "waiting"
        result.steps.append(Step(name, status, state.at, state.by))
        if state.blocker and status in ("current", "failed") and not end:
            result.blockers.append(state.blocker)
    if end:
        result.blockers = [end]
    return result


def waits_for(activation: Onboarding, now: datetime) -> tuple[str, Blocker | None]:
    """The first step that waits for somebody, empty if none does, and what it waits for.

    It is the first blocker of the checklist, found without the rest of it.
    """
    if stopped(activation) is None:
        for name, state_of in STATES.items():
            state = state_of(activation, now)
            if state.blocker and state.status in ("current", "failed"):
                return name, state.blocker
    return "", None
