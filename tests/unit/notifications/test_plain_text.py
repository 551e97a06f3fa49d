"""The text part of a mail: no markup is left of the template, and a value stays as it is."""

from pathlib import Path
from typing import Any

import pytest

from shared.notifications.messages import Mail
from shared.notifications.senders import Email
from shared.processing.testing import MONDAY
from tests.unit.notifications.paper import job, renderer

TEMPLATE = """\
{% block subject %}Order {{ order }}{% endblock %}

{% block body %}
Beste {{ name }},

**Let op:** uw order *{{ order }}* voor **{{ name }}**.

| Uw gegevens | |
| --- | --- |
| Bedrijf | {{ name }} |
| Code | `{{ order }}` |

* eerste
* tweede

Log in op <{{ url }}>.

U kunt [de rest]({{ url }}) lezen.

{{ url | button("Verder") }}
{% endblock %}
"""


def text(folder: Path, **params: Any) -> str:
    (folder / "kind").mkdir(exist_ok=True)
    (folder / "kind" / "nl.md").write_text(TEMPLATE)
    values = {"name": "Bakkerij", "order": "O-1", "url": "https://king.example/a?b=1"} | params
    mail = Mail("kind", "a@b.example", "nl", values)
    message = renderer(folder).render(job(mail), MONDAY)
    assert isinstance(message, Email)
    return message.text.partition("\n\n-- \n")[0]


def test_nothing_is_left_of_the_markdown(tmp_path: Path) -> None:
    assert text(tmp_path) == (
        "Beste Bakkerij,\n\n"
        "Let op: uw order O-1 voor Bakkerij.\n\n"
        "Uw gegevens\nBedrijf: Bakkerij\nCode: O-1\n\n"
        "* eerste\n* tweede\n\n"
        "Log in op https://king.example/a?b=1.\n\n"
        "U kunt de rest <https://king.example/a?b=1> lezen.\n\n"
        "Verder: https://king.example/a?b=1"
    )


@pytest.mark.parametrize("name", ["**Vet** & Zn.", "| a | b |", "`x` <y>", "*", "| --- |", "\\1"])
def test_a_value_stays_as_it_was_given(tmp_path: Path, name: str) -> None:
    assert f"Bedrijf: {name}\n" in text(tmp_path, name=name)


@pytest.mark.parametrize(
    ("name", "ends"), [("Jansen B.V.", "Jansen B.V.\n"), ("Jansen", "Jansen.\n")]
)
def test_a_sentence_has_one_stop_whatever_its_last_word(
    tmp_path: Path, name: str, ends: str
) -> None:
    # Given a sentence that ends with a company's name, When that name ends with a stop itself,
    written = text(tmp_path, name=name)
    # Then the sentence has that one, and otherwise its own.
    assert f"voor {ends}" in written
    assert ".." not in written
