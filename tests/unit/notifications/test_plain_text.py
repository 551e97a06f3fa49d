"""The text part of a mail: no markup is left of the template, and a value stays as it is."""

from pathlib import Path
from typing import Any

import pytest

from shared.notifications.rendering.renderer import Renderer

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

{{ url | button("Verder") }}
{% endblock %}
"""


def text(folder: Path, **params: Any) -> str:
    (folder / "kind").mkdir(exist_ok=True)
    (folder / "kind" / "nl.md").write_text(TEMPLATE)
    values = {"name": "Bakkerij", "order": "O-1", "url": "https://king.example/a?b=1"} | params
    mail = Renderer(folder).render_email("kind", "nl", values, to="a@b.example", message_key="k")
    return mail.text.partition("\n\n-- \n")[0]


def test_nothing_is_left_of_the_markdown(tmp_path: Path) -> None:
    assert text(tmp_path) == (
        "Beste Bakkerij,\n\n"
        "Let op: uw order O-1 voor Bakkerij.\n\n"
        "Uw gegevens\nBedrijf: Bakkerij\nCode: O-1\n\n"
        "* eerste\n* tweede\n\n"
        "Log in op https://king.example/a?b=1.\n\n"
        "Verder: https://king.example/a?b=1"
    )


@pytest.mark.parametrize("name", ["**Vet** & Zn.", "| a | b |", "`x` <y>", "*", "| --- |", "\\1"])
def test_a_value_stays_as_it_was_given(tmp_path: Path, name: str) -> None:
    assert f"Bedrijf: {name}\n" in text(tmp_path, name=name)
