"""The one normal form of text: what is kept, what is dropped, what no field takes."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.base.text import (
    NotPlainText,
    compact,
    comparable,
    findable,
    normal,
    normal_lines,
    undirected,
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  Café 't Hoekje ", "Café 't Hoekje"),
        ("Cafe\u0301", "Café"),
        ("De\u00a0Korenaar", "De Korenaar"),
        ("De \u2003\u202f\u3000 Korenaar", "De Korenaar"),
        ("De\tKorenaar", "De Korenaar"),
        ("\u2800De\u2800Korenaar", "De Korenaar"),
        ("Koren\u200daar", "Korenaar"),
        ("Koren\u200b\u2060\ufeff\u00adaar", "Korenaar"),
        ("\u3164Korenaar\u115f", "Korenaar"),
        ("e\u200d\u0301", "é"),
        ("a\ufe0f", "a"),
    ],
)
def test_a_text_is_kept_in_its_one_normal_form(written: str, kept: str) -> None:
    assert normal(written) == kept


@pytest.mark.parametrize(
    "spelled",
    [
        "❤\ufe0f",
        "\U0001f469\u200d\U0001f4bb",
        "می\u200cخواهم",
        "क्\u200dष",
        "葛\U000e0100",
        "1\ufe0f\u20e3",
    ],
    ids=ascii,
)
def test_a_sign_that_decides_what_is_seen_is_kept(spelled: str) -> None:
    assert normal(spelled) == spelled


@pytest.mark.parametrize(
    "nothing", ["", " ", "\u200d", "\u200b\u00a0", "\u3164", "\u0301", "\ufeff"]
)
def test_a_text_of_which_nothing_is_seen_is_empty(nothing: str) -> None:
    assert normal(nothing) == ""


@pytest.mark.parametrize(
    "hidden",
    ["\n", "\r", "\0", "\x07", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\u200f"],
)
def test_what_breaks_a_line_or_turns_its_direction_is_refused(hidden: str) -> None:
    with pytest.raises(NotPlainText, match="invisible"):
        normal(f"om{hidden}gekeerd")


def test_a_text_of_several_lines_is_read_as_one() -> None:
    assert normal_lines("graag\r\n\r\nsnel\u2028a.u.b.") == "graag snel a.u.b."
    with pytest.raises(NotPlainText):
        normal_lines("graag\n\u202esnel")


def test_the_marks_that_a_telephone_copies_around_a_number_are_dropped() -> None:
    assert undirected("\u202a+31 6 12345678\u202c") == "+31 6 12345678"


@pytest.mark.parametrize(
    "other", ["BAKKERIJ DE KORENAAR", "Ｂakkerij De Korenaar", "Bakkerij\u200d De Korenaar"]
)
def test_texts_that_a_person_holds_for_the_same_compare_as_the_same(other: str) -> None:
    assert comparable(other) == comparable("Bakkerij De Korenaar")
    assert comparable("Slagerij De Korenaar") != comparable("Bakkerij De Korenaar")


def test_a_number_is_what_stands_between_its_separators() -> None:
    assert compact("12\u00b734.５６\u201178\u202f") == "12345678"


@given(st.text())
@example("\ufe0f of an emoji that was cut off")
def test_a_text_in_normal_form_stays_as_it_is(written: str) -> None:
    try:
        kept = normal(written)
    except NotPlainText:
        return
    assert normal(kept) == kept
    assert unicodedata.is_normalized("NFC", kept)


@given(st.text())
@example("\U0001f469\u200d\U0001f373 Bakkers")
@example("Bloemen \U0001fa77")
@example("عربی\u200cزبان")
def test_a_text_that_is_kept_is_looked_for_as_it_is_kept(written: str) -> None:
    try:
        kept = normal(written)
    except NotPlainText:
        return
    assert findable(kept) == kept
    # However it is typed; a text of which nothing is seen is not kept at all.
    assert not kept or findable(f"\u200b{written}\u200f\r\n") == kept


@given(st.text())
def test_whatever_is_typed_can_be_looked_for(typed: str) -> None:
    assert findable(findable(typed)) == findable(typed)


def test_what_is_typed_so_far_need_not_be_seen_yet() -> None:
    # A sign that is newer than the tables of Python, of which nobody knows whether it is seen.
    assert normal("\U0001fa77") == ""
    assert findable("\U0001fa77") == "\U0001fa77"
