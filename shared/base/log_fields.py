"""What a log line bears of the message that is being dealt with when it is written.

Whoever deals with a message says so once; every line that is logged meanwhile, by a handler or by
what it calls, bears the same fields. They are made only when a line is really written.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Fields = Callable[[], Mapping[str, object]]

_current: ContextVar[Fields | None] = ContextVar("stappenplan_log_fields", default=None)


def message_fields(
    service: str, message_id: str | None, onboarding_id: str | None, event_type: str
) -> dict[str, object]:
    """The fields by which every line about one message can be found."""
    return {
        "service": service,
        "message_id": message_id,
        "onboarding_id": onboarding_id,
        "event_type": event_type,
    }


def set_log_fields(fields: Fields | None) -> None:
    """Have the lines of this thread bear these fields from now on; None ends that."""
    _current.set(fields)


@contextmanager
def log_fields(fields: Fields) -> Iterator[None]:
    """Have the lines that are logged inside this block bear these fields."""
    before = _current.get()
    _current.set(fields)
    try:
        yield
    finally:
        _current.set(before)


def add_log_fields(_logger: object, _method: str, line: MutableMapping[str, Any]) -> Any:
    """Add the fields in force to a line, unless it names them itself (a structlog processor)."""
    fields = _current.get()
    return {**fields(), **line} if fields is not None else line
