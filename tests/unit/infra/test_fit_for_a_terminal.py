"""What a stranger wrote is shown to a person, and steers neither terminal nor reader."""

import json
import unicodedata
from typing import Any

import pytest
from fastapi.responses import JSONResponse
from hypothesis import given
from hypothesis import strategies as st

from infra.context import console, json_for_people, printable, table
from infra.operations.dead_letters.letters import _readable

TEXTS = st.text(st.characters(codec=None, categories=None))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)
ALLOWED = "\n\t"
STEERS = ("Cc", "Cs", "Zl", "Zp")
TURNS = ("RLE", "LRE", "RLO", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI")
"""Bidirectional classes of the characters that turn the direction of what follows."""


def steering(text: str) -> list[str]:
    return [
        character
        for character in text
        if (unicodedata.category(character) in STEERS and character not in ALLOWED)
        or unicodedata.bidirectional(character) in TURNS
    ]


@given(TEXTS)
def test_a_text_is_shown_without_what_would_steer_the_terminal(text: str) -> None:
    shown = printable(text)
    assert steering(shown) == []
    assert shown.encode().decode() == shown


def test_a_text_of_every_day_is_shown_as_it_is() -> None:
    assert printable("Café De Brug\n\t№ 12, 't Zand – €") == "Café De Brug\n\t№ 12, 't Zand – €"


@pytest.mark.parametrize("text", ["amqp://[fe80::1]:5672", "[red]Kantoor[/]", "[/x]", ":house: 1"])
def test_what_looks_like_markup_is_shown_as_it_stands(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a name or an address with brackets in it, When it is shown, alone or in a table,
    rows = table("finding")
    rows.add_row(text)
    for shown in (text, rows):
        console().print(shown)
        # Then it stands there, sign by sign.
        assert text in capsys.readouterr().out


@given(JSON)
def test_json_for_a_terminal_says_the_same(value: Any) -> None:
    shown = json_for_people(value)
    assert steering(shown) == []
    assert json.loads(shown) == value


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"a":' * 50_000,
        b"[" * 1000 + b"]" * 1000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b"\xff\xfe\x00",
        b"",
    ],
)
def test_a_body_that_no_answer_could_hold_as_json_is_shown_as_text(body: bytes) -> None:
    # Given a dead letter whose body only some readers take for JSON
    shown = _readable(body)
    # When it is shown, Then it is text, which goes into every answer.
    assert isinstance(shown, str)
    assert JSONResponse({"body": shown}).body
    assert json_for_people({"body": shown}).encode()
