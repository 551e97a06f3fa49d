"""One customer's line of time: acts, events and mails that activation knows, the latest first."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from services.activation.history import Entry, history
from services.activation.models import Activation
from services.activation.pages.wording import (
    CHANNELS,
    COLLECTED,
    HAPPENED,
    METHODS,
    SENT,
    SPEAKERS,
)
from shared.base.words import Words
from shared.host.parts import STATUS
from shared.host.requests import RecordedAct
from shared.notifications.history import SentMessage, messages_about

PLAIN = ("reference", "customer_number", "administration_number", "order_reference", "reason_code")
IN_WORDS: Mapping[str, Mapping[str, Words]] = {
    "method": METHODS,
    "status": COLLECTED,
    "channel": CHANNELS,
}
ORDER = {what: place for place, what in enumerate(HAPPENED)}
CHANGED = {"email": Words("e-mailadres", "e-mail address"), "mobile": Words("mobiel", "mobile")}


def story(
    session: Session, activation: Activation, acts: Sequence[RecordedAct], language: str
) -> list[dict[str, Any]]:
    """The entries, as `ui.timeline` takes them."""
    known = history(session, activation, acts)
    sent = messages_about(session, activation.onboarding_id)
    # What was said in one transaction bears one time: it is told in the order of the steps.
    known = sorted(known, key=lambda entry: (entry.at, ORDER.get(entry.what, len(ORDER))))
    entries = [
        *(_of_entry(entry, language) for entry in known),
        *(_of_message(message, language) for message in sent),
    ]
    # The latest first, and of two at the same time the later one of this order.
    return sorted(entries, key=lambda entry: entry["at"])[::-1]


def _of_entry(entry: Entry, language: str) -> dict[str, Any]:
    by = Words(entry.by, entry.by) if entry.by else SPEAKERS.get(entry.source)
    return {
        "at": entry.at,
        "kind": entry.kind,
        "what": HAPPENED.get(entry.what, Words(entry.what, entry.what)).in_(language),
        "who": by.in_(language) if by else None,
        "details": " · ".join(_details(entry.details, language)) or None,
    }


def _details(details: Mapping[str, Any], language: str) -> list[str]:
    told = [str(details[name]) for name in PLAIN if details.get(name)]
    told += [
        words[details[name]].in_(language)
        for name, words in IN_WORDS.items()
        if details.get(name) in words
    ]
    told += [CHANGED[name].in_(language) for name in details.get("changes", ()) if name in CHANGED]
    return told


def _of_message(message: SentMessage, language: str) -> dict[str, Any]:
    return {
        "at": message.at,
        "kind": "mail",
        "what": SENT.get(message.kind, Words(message.kind, message.kind)).in_(language),
        "who": None,
        "details": f"{message.to} · {STATUS[message.status].in_(language)}",
    }
