"""Customers as lists and pages show them: their seven steps, and what they wait for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.activation.checklist import Blocker, Checklist, checklist
from services.activation.models import Activation
from services.activation.pages.wording import ACTORS, STEPS, age, who
from services.activation.seen import Customer
from shared.base.words import Words


@dataclass(frozen=True)
class Row:
    """One customer in a list."""

    onboarding_id: str
    company: str
    reference: str | None
    office: str | None
    standing: Checklist
    blocker: Words | None
    actor: Words
    age: Words | None

    @classmethod
    def of(cls, activation: Customer, now: datetime) -> "Row":
        """A customer as they stand at this moment."""
        standing = checklist(activation, now)
        first = standing.blockers[0] if standing.blockers else None
        return cls(
            onboarding_id=activation.onboarding_id,
            company=activation.company or activation.reference or activation.onboarding_id,
            reference=activation.reference,
            office=activation.office_code,
            standing=standing,
            blocker=first.words if first else None,
            actor=ACTORS[standing.next_actor],
            age=age((first.since if first else None) or activation.heard_at, now),
        )

    def steps(self, language: str) -> list[dict[str, Any]]:
        """The seven steps in a line."""
        return step_rows(self.standing, language)


def step_rows(standing: Checklist, language: str) -> list[dict[str, Any]]:
    """The seven steps, as `ui.steps` draws them."""
    rows = []
    for step in standing.steps:
        by = who(step.by)
        note = by.in_(language) if by else None
        row: dict[str, Any] = {"name": STEPS[step.step].in_(language), "status": step.status}
        rows.append(row | {"at": step.at, "note": note})
    return rows


def shown(activations: Sequence[Customer], now: datetime) -> list[Row]:
    """These customers as a list shows them."""
    return [Row.of(activation, now) for activation in activations]


def waits(activation: Activation, now: datetime) -> list[tuple[Blocker, Words]]:
    """What a customer waits for, each with who can help."""
    blockers = checklist(activation, now).blockers
    return [(blocker, ACTORS[blocker.actor]) for blocker in blockers]
