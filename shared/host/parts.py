"""A service's part of one customer's story: what people did here, and what was sent from here."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from shared.base.words import Words
from shared.host.requests import RecordedAct, Requests
from shared.notifications.history import SentMessage, messages_about
from shared.web.pages import PageTemplates

STATUS = {
    "waiting": Words("wacht op verzending", "waiting to be sent"),
    "sent": Words("verstuurd", "sent"),
    "failed": Words("niet verstuurd", "not sent"),
    "cancelled": Words("vervallen", "cancelled"),
}


def story(
    runtime: Requests, onboarding_id: str, words: Mapping[str, Words], language: str
) -> list[dict[str, Any]]:
    """Acts and messages about one onboarding, the latest first, as `ui.timeline` takes them.

    `words` are what acts and kinds of messages are called; what has no words there is not shown.
    """
    with runtime.reading() as session:
        acts = runtime.acts(session, onboarding_id)
        messages = messages_about(session, onboarding_id)
    entries = [_act(act, words[act.what].in_(language)) for act in acts if act.what in words]
    entries += [
        _message(message, words[message.kind].in_(language), language)
        for message in messages
        if message.kind in words
    ]
    return sorted(entries, key=lambda entry: entry["at"], reverse=True)


def _act(act: RecordedAct, what: str) -> dict[str, Any]:
    details = act.details.get("reason")
    return {"at": act.at, "kind": "act", "what": what, "who": act.who, "details": details}


def _message(message: SentMessage, what: str, language: str) -> dict[str, Any]:
    details = f"{message.to} · {STATUS[message.status].in_(language)}"
    return {"at": message.at, "kind": "mail", "what": what, "who": None, "details": details}


def part_page(
    templates: PageTemplates,
    request: Request,
    onboarding_id: str,
    *,
    title: Words,
    entries: Sequence[Mapping[str, Any]],
    links: Sequence[tuple[str, Words]] = (),
) -> HTMLResponse:
    """The part alone when a page fetches it, else as a page of its own."""
    is_fragment = request.headers.get("hx-request") == "true"
    return templates.page(
        request,
        "part_contents.html" if is_fragment else "part.html",
        onboarding_id=onboarding_id,
        title=title,
        entries=entries,
        links=links,
    )
