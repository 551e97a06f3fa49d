"""A template is read once for all its mails, and each mail has its own values all the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.links import PageLinks
from shared.notifications.messages import Mail
from shared.notifications.rendering import markdown
from shared.notifications.senders import Email
from shared.processing.testing import MONDAY
from tests.unit.notifications.paper import job, renderer

TEMPLATE = """\
{% block subject %}Order{% endblock %}

{% block body %}
Beste {{ name }}, uw wachtwoord is `{{ password }}`.

{% for line in lines %}
* {{ line }}
{% endfor %}

{% if url %}
{{ url | button("Verder") }}
{% endif %}
{% endblock %}
"""
MAILS: list[dict[str, Any]] = [
    {"name": "Anna", "password": "een", "lines": ["Basis"], "url": "https://king.example/1"},
    {"name": "*Bo*", "password": "twee", "lines": ["Basis"], "url": "https://king.example/2"},
    {"name": "Cor", "password": "drie", "lines": ["Bank", "Scan"], "url": "https://king.example/3"},
    {"name": "Dirk", "password": "vier", "lines": ["Bank", "Scan"], "url": None},
]


def written(folder: Path, values: dict[str, Any], template: str = TEMPLATE) -> Email:
    (folder / "kind").mkdir(exist_ok=True)
    (folder / "kind" / "nl.md").write_text(template)
    message = renderer(folder).render(job(Mail("kind", "a@b.example", "nl", values)), MONDAY)
    assert isinstance(message, Email)
    return message


def parts(folder: Path, values: dict[str, Any]) -> str:
    """Both its parts, one after the other."""
    message = written(folder, values)
    return message.html + message.text


def forget() -> None:
    """Be a process that has made no mail yet."""
    markdown._html_of.cache_clear()
    markdown._text_of.cache_clear()


def test_a_mail_is_the_same_whichever_mails_went_before_it(tmp_path: Path) -> None:
    # Given mails of one kind, each made as the first of its process,
    first = []
    for values in MAILS:
        forget()
        first.append(parts(tmp_path, values))
    # When they are made one after the other, and again,
    later = [parts(tmp_path, values) for values in MAILS * 2]
    # Then none has a value, a line or a button of another.
    assert later == first * 2
    assert len(set(first)) == len(MAILS)


def test_mails_that_differ_in_their_values_only_are_read_once(tmp_path: Path) -> None:
    # Given a mail that was made, When another has other values, and a third one line more,
    forget()
    readings = []
    for values in MAILS[:3]:
        written(tmp_path, values)
        as_html, as_text = markdown._html_of.cache_info(), markdown._text_of.cache_info()
        readings.append((as_html.misses, as_text.misses))
    # Then the template was read for the first and the third.
    assert readings == [(1, 1), (1, 1), (2, 2)]


def test_text_and_html_of_a_mail_have_their_values_from_one_filling_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a template with a button, and links that differ each time one is asked for,
    template = """\
{% block subject %}Order{% endblock %}
{% block body %}{{ page("sign") | button("Verder") }}{% endblock %}"""
    asked: list[str] = []

    def another(_pages: PageLinks, *_: object) -> str:
        asked.append(f"https://king.example/{len(asked)}")
        return asked[-1]

    monkeypatch.setattr(PageLinks, "to", another)
    # When a mail is made, Then both its parts lead to the one link that was made for it.
    message = written(tmp_path, {}, template)
    assert asked == ["https://king.example/0"]
    assert "Verder: https://king.example/0" in message.text
    assert 'href="https://king.example/0"' in message.html


def test_what_is_kept_of_a_mail_holds_none_of_its_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a look at all that is kept, When mails with a password in them are made,
    kept: list[str] = []
    for name in ("_html_of", "_text_of"):
        monkeypatch.setattr(markdown, name, _watched(getattr(markdown, name), kept))
    for values in MAILS:
        written(tmp_path, values)
    # Then it is the template's own words, and no customer's.
    assert len(kept) == 2 * 2 * len(MAILS)
    for values in MAILS:
        for value in (values["name"], values["password"], *values["lines"], "king.example"):
            assert not any(value in text for text in kept), value


def _watched(read: Any, kept: list[str]) -> Callable[[str], str]:
    def watched(text: str) -> str:
        made: str = read.__wrapped__(text)
        kept.extend([text, made])
        return made

    return watched
