"""Text as HTTP takes it, and links in it."""

import pytest
from pydantic import BaseModel, Field, ValidationError

from shared.trade.text import PlainLine, PlainText, holds_link


class Reason(BaseModel):
    """What a person may be asked for."""

    line: PlainLine = Field(default="x", min_length=1, max_length=5)
    text: PlainText | None = None


def test_a_text_is_measured_in_its_normal_form() -> None:
    assert Reason(line=" a\u200bbc\u00a0d ").line == "abc d"
    with pytest.raises(ValidationError, match="at least 1 character"):
        Reason(line="\u200d")


@pytest.mark.parametrize(
    "value",
    ["a\x07", "a\nb", "a\u202eb", "111222333", "bsn 4495445", "１１１２２２３３３"],
    ids=ascii,
)
def test_no_field_takes_control_characters_or_a_citizen_number(value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Reason(line=value)
    # The sentence is for the caller, and repeats nothing.
    assert value not in refused.value.errors()[0]["msg"]


def test_a_text_of_several_lines_is_taken_as_one() -> None:
    assert Reason(text="een\n\ntwee").text == "een twee"
    with pytest.raises(ValidationError, match="BSN"):
        Reason(text="een\n111222333")


@pytest.mark.parametrize(
    "written",
    [
        "Klik op https://kwaad.example",
        "HTTP://KWAAD.EXAMPLE",
        "ftp://x",
        "www.kwaad.example",
        "Win een reis: kwaad.com",
        "kwaad。com",
        "ｋｗａａｄ．ｃｏｍ",
        "bit.ly/abc",
        "t.me/abc",
        "xn--kwaad-abc",
        "kwaad.voorbeeld/pad",
    ],
)
def test_what_a_mail_program_shows_as_a_link_is_one(written: str) -> None:
    assert holds_link(written)


@pytest.mark.parametrize(
    "written",
    [
        "Bakkerij De Korenaar B.V.",
        "v.o.f. De Jong",
        "J.P.de Vries",
        "Drs. J.P. de Vries",
        "N.V. Nederland",
        "St.Jan",
        "Jansen & Co.",
        "Bakkerij 24/7",
        "mail aan anna@korenaar.com",
    ],
)
def test_a_name_with_points_is_no_link(written: str) -> None:
    assert not holds_link(written)
