"""What a handler returns to have somebody told: a mail or a text message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.events.shapes import Language
from shared.processing import SideEffect


@dataclass(frozen=True, slots=True)
class Mail(SideEffect):
    """A mail to send after the transaction: which template, to whom, filled with what.

    `params` must be JSON. They stand in the database until sent, so they hold no secret, and no
    link: those are made while it is sent. `about` is the onboarding that it is about, when that is
    not the cause's own. An answer goes to `reply_to`, `Name <address>`, where there is one.
    """

    kind: str
    to: str
    language: Language
    params: Mapping[str, Any] = field(default_factory=dict)
    about: str | None = None
    channel: Literal["email", "sms"] = "email"
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Text(Mail):
    """A text message to send after the transaction; `to` is a number in E.164."""

    channel: Literal["email", "sms"] = "sms"
