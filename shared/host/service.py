"""What makes a service: its name, what it hears, its tables, its mails, its routes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import MetaData
from sqlmodel import Session

from shared.events.event import EVENTS
from shared.notifications.kinds import NotificationKind
from shared.processing import Subscription

if TYPE_CHECKING:
    from fastapi import APIRouter

    from shared.host.runtime import Runtime
    from shared.web.navigation import NavigationEntry


@dataclass(frozen=True)
class CustomerName:
    """By what people know a customer: the reference of their sign-up, and their company."""

    reference: str | None
    company: str | None


CustomerNames = Callable[[Session, Sequence[str]], Mapping[str, CustomerName]]
"""Names the customers of these onboarding ids, as far as a service knows them."""


@dataclass(frozen=True)
class Service:
    """One step of the plan, as the runner sees it.

    `resources` are what handlers may ask for by type; `series` the numbers it hands out;
    `scopes` what a caller may be allowed to do here, each in a sentence; `notification_kinds` the
    mails that need more than a template; `at_start` runs once the database is there, e.g. to
    write what ships with the product; `customers` names customers to operators; `pages` are its
    screens for people, `navigation` those of them that staff find in the menu; `sessions` says of
    the id of a session whether it is open, in the one service that keeps them. `steps` are the
    steps of the plan that it owns; `waits_at` says of a message or mail at which step its customer
    waits when it fails, where that is not the first of them.
    """

    name: str
    subscriptions: Sequence[Subscription]
    metadata: MetaData
    folder: Path
    router: "Callable[[Runtime], APIRouter]"
    resources: Mapping[type, object] = field(default_factory=dict)
    series: Sequence[str] = ()
    scopes: Mapping[str, str] = field(default_factory=dict)
    notification_kinds: Mapping[str, NotificationKind] = field(default_factory=dict)
    at_start: "Callable[[Runtime], None] | None" = None
    customers: CustomerNames | None = None
    pages: "Callable[[Runtime], APIRouter] | None" = None
    navigation: "Sequence[NavigationEntry]" = ()
    sessions: "Callable[[Runtime, str], bool] | None" = None
    steps: Sequence[str] = ()
    waits_at: Mapping[str, str] = field(default_factory=dict)

    @property
    def hears(self) -> tuple[str, ...]:
        """The events it subscribes to."""
        return tuple(line.type for line in self.subscriptions if line.is_event)

    @property
    def says(self) -> tuple[str, ...]:
        """The events it owns, and may publish."""
        return tuple(name for name, event in EVENTS.items() if event.said_by == self.name)

    def step_of(self, message_type: str) -> str | None:
        """At which step the customer of a failed message, or mail, of this type waits."""
        first = self.steps[0] if self.steps else None
        return self.waits_at.get(message_type, first)

    @property
    def templates(self) -> Path:
        """Its mails and texts, a folder for each kind."""
        return self.folder / "templates"

    @property
    def migrations(self) -> Path:
        """Its own schema history."""
        return self.folder / "migrations"
