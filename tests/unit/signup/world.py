"""Signup in memory: its handlers run for real, over just what they declare to load."""

import copy
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from services.signup.handlers import SUBSCRIPTIONS
from services.signup.models import Office, Signup
from shared.events import SignupAccepted, SignupRejected, SignupSubmitted
from shared.events.envelope import Envelope
from shared.events.event import Event
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.notifications.messages import Mail
from shared.processing import Command, Effect, Loaded, Message, Now, Numbers, RawEvent
from shared.processing.handlers.registry import bind_parameters
from shared.trade.catalogue import Catalogue

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SPACE = UUID("00000000-0000-0000-0000-000000000042")
EXAMPLES = Path(__file__).parents[3] / "infra" / "examples"
CATALOGUE = Catalogue.load(Settings().catalogue)


class Counter:
    """Gives the numbers from one on."""

    def __init__(self) -> None:
        self._next = count(1)

    def take(self, series: str) -> int:
        """The next number."""
        return next(self._next)


def example(name: str = "01-bakkerij") -> dict[str, Any]:
    """What one of the example customers filled in."""
    data: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text())["data"]
    return data


def changed(**changes: Any) -> dict[str, Any]:
    """The baker's form with some fields otherwise; `customer__kvk` is `customer.kvk`."""
    data = copy.deepcopy(example())
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = data
        for name in parents:
            part = part[name]
        part[last] = value
    return data


class World:
    """What signup knows; office 0042 pays for clients, 0077 does not."""

    def __init__(self) -> None:
        self.signups: list[Signup] = []
        self.offices = [
            Office(code="0042", name="De Linde", email="k@linde.example", pays_for_customers=True),
            Office(code="0077", name="Zuid", email="k@zuid.example", language="en"),
        ]
        self._ids = count(1)
        resources: dict[type, object] = {
            Catalogue: CATALOGUE,
            Settings: Settings(),
            Numbers: Counter(),
        }
        self._calls = {one.type: (bind_parameters(one, resources), one.loads) for one in SUBSCRIPTIONS}

    def submit(
        self, data: dict[str, Any], about: str = "bakkerij", source: str = ""
    ) -> "list[Effect]":
        """A website sends what a customer filled in."""
        content = RawEvent(SignupSubmitted.event_type, data)
        source = source or f"/website/{data.get('office_code')}"
        return self._deliver(content, SignupSubmitted.event_type, about, source, data)

    def hear(self, event: Event, about: str = "bakkerij") -> "list[Effect]":
        return self._deliver(event, event.event_type, about, "/services/x", {})

    def ask(self, request: Command, about: str = "bakkerij") -> "list[Effect]":
        return self._deliver(request, request.command_type, about, "/staff/anna", {})

    def signup(self, about: str = "bakkerij") -> Signup:
        (found,) = [one for one in self.signups if one.onboarding_id == onboarding(about)]
        return found

    def _deliver(
        self, content: Any, kind: str, about: str, source: str, data: dict[str, Any]
    ) -> "list[Effect]":
        message_id = str(uuid5(SPACE, f"message {next(self._ids)}"))
        envelope = Envelope(message_id, source, kind, onboarding(about), NOW, data)
        delivery = Message(envelope, content, Incoming(b"", kind))
        call, loads = self._calls[kind]
        batch: dict[type[Any], Loaded[Any]] = {one.model: Loaded() for one in loads}
        for load in loads:
            table: Sequence[Any] = self.signups if load.model is Signup else self.offices
            keys = load.keys(delivery, batch)
            batch[load.model].merge(one for one in table if getattr(one, load.column) in keys)
        said = list(call(delivery, batch, Now(NOW)))
        for model, loaded in batch.items():
            (self.signups if model is Signup else self.offices).extend(loaded.added)
        return said


def onboarding(name: str) -> str:
    """The onboarding id of a customer, e.g. of "bakkerij"."""
    return str(uuid5(SPACE, name))


def accepted(said: Sequence[Effect]) -> SignupAccepted:
    """The sign-up that was accepted."""
    assert not [one for one in said if isinstance(one, SignupRejected)], said
    return next(one for one in said if isinstance(one, SignupAccepted))


def errors(said: Sequence[Effect]) -> dict[str, str]:
    """Which fields were wrong, and the code of each."""
    (rejected,) = [one for one in said if isinstance(one, SignupRejected)]
    return {one.field: one.code for one in rejected.errors}


def mails(said: Sequence[Effect]) -> list[tuple[str, str]]:
    """Which mails, and to whom."""
    return [(one.kind, one.to) for one in said if isinstance(one, Mail)]
