"""Billing in memory: its handlers run for real, over just what they declare to load."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid5

from services.billing.collections import Collection
from services.billing.handlers import SUBSCRIPTIONS
from services.billing.models import Mandate, Order, UnmatchedResult
from shared.events.envelope import Envelope
from shared.events.event import Event
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.notifications.messages import Mail
from shared.processing import (
    Command,
    Effect,
    EventFor,
    Load,
    Loaded,
    Message,
    Now,
    Numbers,
    Scheduled,
)
from shared.processing.handlers.registry import bind_parameters
from shared.trade.catalogue import Catalogue

CATALOGUE = Catalogue.load(Path(__file__).parents[3] / "infra" / "catalogue.toml")
SETTINGS = Settings(prenotification_days=14, mandate_scheme="CORE")
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SPACE = UUID("00000000-0000-0000-0000-000000000042")

E = TypeVar("E", bound=Event)


class Counter:
    """Gives the numbers from one on."""

    def __init__(self) -> None:
        self._next = count(1)

    def take(self, series: str) -> int:
        """The next number."""
        return next(self._next)


def onboarding(name: str) -> str:
    """The onboarding id of a customer, e.g. of "bakkerij"."""
    return str(uuid5(SPACE, name))


class World:
    """What billing knows, what it has said, and what it put off until later."""

    def __init__(self) -> None:
        self.now = MONDAY
        self.tables: dict[type[Any], list[Any]] = {
            model: [] for model in (Order, Mandate, Collection, UnmatchedResult)
        }
        self.said: list[Event] = []
        self.later: dict[str, Scheduled] = {}
        self._ids = count(1)
        resources: dict[type, object] = {
            Catalogue: CATALOGUE,
            Settings: SETTINGS,
            Numbers: Counter(),
        }
        self._calls = {one.type: (bind_parameters(one, resources), one.loads) for one in SUBSCRIPTIONS}

    def hear(self, event: Event, about: str = "bakkerij", message: str | None = None) -> "Heard":
        """An event comes in; `message` is its id, for one that is delivered twice."""
        message = message or f"message {next(self._ids)}"
        return self._deliver(event, event.event_type, onboarding(about), message)

    def ask(self, request: Command, about: str = "bakkerij") -> "Heard":
        """A person, or the clock, asks for something."""
        return self._deliver(request, request.command_type, onboarding(about), "request")

    def pass_days(self, days: int) -> "Heard":
        """Time goes by: what was put off until then is done, the earliest first."""
        until, said = self.now + timedelta(days=days), Heard()
        while due := sorted(one for one in self.later if self.later[one].due <= until):
            key = min(due, key=lambda one: self.later[one].due)
            later = self.later.pop(key)
            self.now = later.due
            said += self.ask(later.request)
        self.now = until
        return said

    def order(self, about: str = "bakkerij") -> Order:
        """The order of this customer."""
        (found,) = [one for one in self.tables[Order] if one.onboarding_id == onboarding(about)]
        assert isinstance(found, Order)
        return found

    def collection(self, end_to_end_id: str) -> Collection:
        """The collection by this end-to-end id."""
        (found,) = [one for one in self.tables[Collection] if one.end_to_end_id == end_to_end_id]
        assert isinstance(found, Collection)
        return found

    def collections(self, order_reference: str | None) -> list[Collection]:
        """All collections of one order."""
        return [one for one in self.tables[Collection] if one.order_reference == order_reference]

    def strays(self) -> list[UnmatchedResult]:
        """Results that still wait for their order."""
        return [one for one in self.tables[UnmatchedResult] if one.open]

    def _deliver(self, content: Event | Command, kind: str, subject: str, message: str) -> "Heard":
        envelope = Envelope(str(uuid5(SPACE, message)), "/test", kind, subject, self.now)
        delivery = Message(envelope, content, Incoming(b"", kind))
        call, loads = self._calls[kind]
        batch = self._load(delivery, loads)
        heard = Heard(call(delivery, batch, Now(self.now)))
        for model, loaded in batch.items():
            self.tables[model] += loaded.added
        self.said += [one.event if isinstance(one, EventFor) else one for one in heard.events]
        for one in heard:
            if isinstance(one, Scheduled):
                self.later.setdefault(one.key, one)
        return heard

    def _load(self, delivery: Message, loads: Sequence[Load]) -> Batch:
        batch: dict[type[Any], Loaded[Any]] = {one.model: Loaded() for one in loads}
        for load in loads:
            keys = load.keys(delivery, batch)
            rows = [one for one in self.tables[load.model] if getattr(one, load.column) in keys]
            batch[load.model].merge(rows)
        return batch


class Heard(list[Effect]):
    """What billing said upon one message."""

    @property
    def events(self) -> list[Event | EventFor]:
        """Its events, as they were said."""
        return [one for one in self if isinstance(one, Event | EventFor)]

    @property
    def mails(self) -> list[tuple[str, str]]:
        """Its mails: which, and to whom."""
        return [(one.kind, one.to) for one in self if isinstance(one, Mail)]

    @property
    def later(self) -> list[Scheduled]:
        """What it put off."""
        return [one for one in self if isinstance(one, Scheduled)]

    def all(self, kind: type[E]) -> list[E]:
        """Its events of one kind."""
        bare = [one.event if isinstance(one, EventFor) else one for one in self.events]
        return [one for one in bare if isinstance(one, kind)]

    def one(self, kind: type[E]) -> E:
        """Its only event of one kind."""
        (found,) = self.all(kind)
        return found
