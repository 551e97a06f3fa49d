"""What makes a service: its name, what it hears, its tables, its mails, its routes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import MetaData

from shared.events.event import EVENTS
from shared.notifications.notices import Notice
from shared.processing.subscriptions import Subscription

if TYPE_CHECKING:
    from fastapi import APIRouter

    from shared.processing.runtime import Runtime


@dataclass(frozen=True)
class Service:
    """One step of the plan, as the runner sees it.

    `resources` are what handlers may ask for by type; `series` the numbers it hands out;
    `notices` the mails that need more than a template; `at_start` runs once the database is
    there, e.g. to write what ships with the product.
    """

    name: str
    subscriptions: Sequence[Subscription]
    metadata: MetaData
    folder: Path
    router: "Callable[[Runtime], APIRouter]"
    resources: Mapping[type, object] = field(default_factory=dict)
    series: Sequence[str] = ()
    notices: Mapping[str, Notice] = field(default_factory=dict)
    at_start: "Callable[[Runtime], None] | None" = None

    @property
    def hears(self) -> tuple[str, ...]:
        """The events it subscribes to."""
        return tuple(one.type for one in self.subscriptions if one.is_event)

    @property
    def says(self) -> tuple[str, ...]:
        """The events it owns, and may publish."""
        return tuple(name for name, event in EVENTS.items() if event.said_by == self.name)

    @property
    def templates(self) -> Path:
        """Its mails and texts, a folder for each kind."""
        return self.folder / "templates"

    @property
    def migrations(self) -> Path:
        """Its own schema history."""
        return self.folder / "migrations"
