"""A rehearsed retry for people: rows before and after, what is said, mailed and planned."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from shared.events.event import Event
from shared.notifications.messages import Mail
from shared.notifications.senders.outgoing import masked
from shared.processing import Effect, EventFor, Scheduled
from shared.processing.engine import Engine
from shared.processing.rehearsal import Rehearsal, RowChange
from shared.processing.resolutions import NotDeadLettered, WouldBeRejected
from shared.trade.formats import iban_tail

SECRETS = ("hash", "secret", "password", "token")
"""What a field is called in part whose contents nobody reads here."""
HIDDEN = "•••"


@dataclass(frozen=True)
class Written:
    """A row that would be written: each field with what stands there before and after."""

    table: str
    is_new: bool
    fields: list[tuple[str, str, str]]


@dataclass
class Foretold:
    """A rehearsal in words; `refusal` tells why there could be none.

    `events` are their types with their data in JSON, `mails` their kinds with way and masked
    recipient, `timers` the commands that would be planned, and when they would be due.
    """

    refusal: str | None = None
    error: str | None = None
    permanent: bool = False
    rows: list[Written] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    mails: list[tuple[str, str, str]] = field(default_factory=list)
    timers: list[tuple[str, datetime]] = field(default_factory=list)

    @classmethod
    def of(cls, rehearsal: Rehearsal) -> "Foretold":
        """What a rehearsal has shown."""
        foretold = cls(error=rehearsal.error, permanent=rehearsal.permanent)
        foretold.rows = [_written(change) for change in rehearsal.changes]
        for effect in rehearsal.effects:
            foretold._add(effect)
        return foretold

    @property
    def is_well(self) -> bool:
        """Whether the retry would work."""
        return self.error is None and self.refusal is None

    def as_json(self) -> dict[str, Any]:
        """The same for a script."""
        said = [{"type": name, "data": json.loads(data)} for name, data in self.events]
        return asdict(self) | {"events": said, "is_well": self.is_well}

    def _add(self, effect: Effect) -> None:
        if isinstance(effect, EventFor):
            effect = effect.event
        if isinstance(effect, Event):
            data = _discreet(effect.model_dump(mode="json", exclude_none=True))
            text = json.dumps(data, indent=2, ensure_ascii=False)
            self.events.append((effect.event_type, text))
        elif isinstance(effect, Mail):
            self.mails.append((effect.kind, effect.channel, masked(effect.to)))
        elif isinstance(effect, Scheduled):
            self.timers.append((effect.command.command_type, effect.due))


def foretell(engine: Engine, letter_id: str) -> Foretold:
    """Rehearse a retry of a letter."""
    try:
        return Foretold.of(engine.rehearse(letter_id))
    except (NotDeadLettered, WouldBeRejected) as refusal:
        return Foretold(refusal=str(refusal))


def _written(change: RowChange) -> Written:
    fields = [
        (name, _shown(name, before), _shown(name, after))
        for name, (before, after) in change.fields.items()
    ]
    return Written(change.table, change.is_new, fields)


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if any(secret in name for secret in SECRETS):
        return HIDDEN
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, dict | list):
        return json.dumps(_discreet(value), ensure_ascii=False, default=str)
    return iban_tail(str(value)) if "iban" in name else str(value)


def _discreet(value: Any) -> Any:
    """JSON with account numbers by their end alone, and nothing that is secret."""
    if isinstance(value, Mapping):
        return {name: _discreet_field(name, inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_discreet(inner) for inner in value]
    return value


def _discreet_field(name: str, value: Any) -> Any:
    if isinstance(value, str) and (name == "iban" or any(secret in name for secret in SECRETS)):
        return _shown(name, value)
    return _discreet(value)
