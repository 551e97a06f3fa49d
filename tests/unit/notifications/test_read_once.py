"""A template is read once for all its mails, and each mail has its own values all the same."""

from pathlib import Path
from typing import Any

import pytest

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


def html(folder: Path, values: dict[str, Any]) -> str:
    (folder / "kind").mkdir(exist_ok=True)
    (folder / "kind" / "nl.md").write_text(TEMPLATE)
    message = renderer(folder).render(job(Mail("kind", "a@b.example", "nl", values)), MONDAY)
    assert isinstance(message, Email)
    return message.html


def test_a_mail_is_the_same_whichever_mails_went_before_it(tmp_path: Path) -> None:
    # Given mails of one kind, each made as the first of its process,
    first = []
    for values in MAILS:
        markdown._html_of.cache_clear()
        first.append(html(tmp_path, values))
    # When they are made one after the other, and again,
    later = [html(tmp_path, values) for values in MAILS * 2]
    # Then none has a value, a line or a button of another.
    assert later == first * 2
    assert len(set(first)) == len(MAILS)


def test_mails_that_differ_in_their_values_only_are_read_once(tmp_path: Path) -> None:
    # Given a mail that was made, When another has other values, and a third one line more,
    markdown._html_of.cache_clear()
    readings = []
    for values in MAILS[:3]:
        html(tmp_path, values)
        readings.append(markdown._html_of.cache_info().misses)
    # Then the template was read for the first and the third.
    assert readings == [1, 1, 2]


def test_what_is_kept_of_a_mail_holds_none_of_its_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a look at all that is kept, When mails with a password in them are made,
    kept: list[str] = []
    read = markdown._html_of.__wrapped__

    def watched(text: str) -> str:
        made: str = read(text)
        kept.extend([text, made])
        return made

    monkeypatch.setattr(markdown, "_html_of", watched)
    for values in MAILS:
        html(tmp_path, values)
    # Then it is the template's own words, and no customer's.
    assert len(kept) == 2 * len(MAILS)
    for values in MAILS:
        for value in (values["name"], values["password"], *values["lines"], "king.example"):
            assert not any(value in text for text in kept), value
