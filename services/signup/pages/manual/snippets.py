"""Lines to copy, filled in for one office and the address at which it is reached.

They stand below `templates/pages/snippets`, and are run by a test as they are shown.
"""

import json
import re
from functools import cache
from typing import Any

from services.signup.pages.frame import TEMPLATES
from shared.events.envelope import CONTENT_TYPE

FOLDER = TEMPLATES / "snippets"
PLACE = re.compile("@@(ADDRESS|OFFICE|BODY)@@")

HTTP = {"curl": "curl", "php": "PHP", "dotnet": "C# (.NET)", "python": "Python"}
"""Those that sign up over HTTP, and what they are called."""

UNTRIED = "dotnet"
"""The one whose runtime our tests do not have: it is read by them, not run."""


def example_signup(office_code: str) -> dict[str, Any]:
    """A sign-up that is accepted, for this office."""
    return {**_read("signup.json"), "office_code": office_code}


def example_event(office_code: str) -> dict[str, Any]:
    """The same as an event, as it goes over AMQP (CloudEvents 1.0, structured mode)."""
    return {
        "specversion": "1.0",
        "id": "3f0c1f5e-6c0b-4b1e-9d0a-2b7a5a1f4c11",
        "source": f"/website/{office_code}",
        "type": "signup.submitted.v1",
        "subject": "9b2f6d54-8f6e-4d0f-8a39-1f0f8a6f3e77",
        "time": "2026-11-24T09:30:00Z",
        "datacontenttype": "application/json",
        "data": example_signup(office_code),
    }


def example_result() -> dict[str, Any]:
    """What KING's billing reports of one collection."""
    return _read("collection-result.json")


def example_result_event() -> dict[str, Any]:
    """The same as an event."""
    return {
        "specversion": "1.0",
        "id": "7a4be6a4-52c5-4e5e-9a55-0f3f6b0f9d20",
        "source": "/king-billing",
        "type": "collection.result.v1",
        "subject": "9b2f6d54-8f6e-4d0f-8a39-1f0f8a6f3e77",
        "time": "2026-11-20T05:00:03Z",
        "datacontenttype": "application/json",
        "data": example_result(),
    }


def written(document: Any) -> str:
    """A document as people read it."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def snippet(name: str, address: str, office_code: str = "", body: Any = None) -> str:
    """The lines by this name; `body` is what they send."""
    lines = _text(f"{name}.txt").rstrip("\n")
    inside_quotes = json.dumps(office_code, ensure_ascii=False)[1:-1]
    values = {"ADDRESS": address, "OFFICE": inside_quotes, "BODY": written(body)}
    # All at once: what is put in one place may look like another.
    return PLACE.sub(lambda place: values[place[1]], lines)


def signup_snippets(address: str, office_code: str) -> list[tuple[str, str, str]]:
    """Each way to sign up over HTTP: its name, what it is called, its lines."""
    body = example_signup(office_code)
    return [
        (name, words, snippet(name, address, office_code, body)) for name, words in HTTP.items()
    ]


def by_broker(office_code: str) -> dict[str, str]:
    """What a website that publishes over AMQP needs: lines, the document, the headers."""
    return {
        "code": snippet("amqp", "", office_code, example_signup(office_code)),
        "event": written(example_event(office_code)),
        "headers": snippet("headers", "", office_code),
        "content_type": CONTENT_TYPE,
    }


@cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_text(name))
    return document
