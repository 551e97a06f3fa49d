"""The engine: inbox, handlers, effects, retries, timers. It knows no mail, no HTTP, no event.

This is its face: services import from here and no deeper (README.md beside this file).
"""

from shared.processing.handlers.loaded import Loaded
from shared.processing.handlers.loading import Entities, Load, by_subject, through
from shared.processing.handlers.messages import (
    Answer,
    Command,
    Effect,
    EventFor,
    Message,
    Now,
    Person,
    RawEvent,
    Scheduled,
    SideEffect,
)
from shared.processing.handlers.registry import Subscription, on
from shared.processing.retry_policy import RetryPolicy
from shared.processing.store.numbers import Numbers

__all__ = [
    "Answer",
    "Command",
    "Effect",
    "Entities",
    "EventFor",
    "Load",
    "Loaded",
    "Message",
    "Now",
    "Numbers",
    "Person",
    "RawEvent",
    "RetryPolicy",
    "Scheduled",
    "SideEffect",
    "Subscription",
    "by_subject",
    "on",
    "through",
]
