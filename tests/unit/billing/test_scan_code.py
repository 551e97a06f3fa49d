"""The QR code of a confirmation: the very one that segno draws."""

import io
import random
import string

import pytest
import segno

from services.billing.confirmation.notices import scan_token
from services.billing.confirmation.scan_code import ALPHANUMERIC, as_svg

TOKENS = [scan_token(f"O-2026-{number:06}", "k" * 32) for number in range(120)]


def by_segno(text: str) -> str:
    drawn = io.BytesIO()
    code = segno.make(text, error="m")
    code.save(drawn, kind="svg", border=0, xmldecl=False, nl=False)
    return drawn.getvalue().decode()


@pytest.mark.parametrize("token", TOKENS[::10])
def test_it_is_the_code_that_segno_draws(token: str) -> None:
    # Given what the code of an order says, When it is drawn, Then it is segno's, sign by sign.
    assert as_svg(token) == by_segno(token)


def test_each_mask_is_chosen_where_segno_chooses_it() -> None:
    # Given many orders, whose codes segno lays each of its eight masks over,
    assert {segno.make(token, error="m").mask for token in TOKENS} == set(range(8))
    # When they are drawn, Then no code has another mask.
    assert [as_svg(token) for token in TOKENS] == [by_segno(token) for token in TOKENS]


@pytest.mark.parametrize("length", [2, 5, 25, 26, 27, 47, 62, 90, 108])
def test_each_sign_of_a_text_finds_its_modules(length: int) -> None:
    # Given texts of the signs of which two are written together, with a last one alone or not,
    chance = random.Random(length)
    for _ in range(12):
        text = "".join(chance.choices(ALPHANUMERIC, k=length))
        assert as_svg(text) == by_segno(text)


@pytest.mark.parametrize("length", [1, 14, 30, 61, 90, 140])
def test_a_text_of_any_length_gets_its_code(length: int) -> None:
    # Given texts from a Micro QR code to one that tells its version, of one sign and of many,
    signs = random.Random(length).choices(string.printable, k=length)
    for text in ("A" * length, "0" * length, "".join(signs)):
        assert as_svg(text) == by_segno(text)
