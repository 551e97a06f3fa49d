"""A text in quoted-printable: to the byte as Python's own package writes it, and read the same."""

import quopri
from email import quoprimime

from hypothesis import given
from hypothesis import strategies as st

from shared.notifications.senders.mime import MAX_BODY_CHARACTERS
from shared.notifications.senders.quoted_printable import quoted_printable

PIECES = st.one_of(
    st.sampled_from(
        ["=", " ", "\t", "\n", "\r\n", "\r", ".", "\n.\n", "From ", "\nFrom ", "é", "👍🏽"]
    ),
    st.sampled_from(["\x00", "\x0b", "\x0c", "\x1c", "\x7f", "\x85", "\u2028"]),
    st.text(max_size=20),
    st.builds(str.__mul__, st.sampled_from("x =\té"), st.integers(60, 90)),
)
TEXTS = st.lists(PIECES, max_size=30).map("".join)


def by_the_library(text: str, width: int) -> bytes:
    """What `email` writes, whose contents have plain line ends before they are encoded."""
    lines = b"".join(line + b"\n" for line in text.encode().splitlines()) or b"\n"
    return quoprimime.body_encode(lines.decode("latin-1"), width, "\r\n").encode("ascii")


@given(TEXTS, st.sampled_from([MAX_BODY_CHARACTERS, 76]))
def test_any_text_is_written_as_the_library_writes_it(text: str, width: int) -> None:
    assert quoted_printable(text, width) == by_the_library(text, width)


@given(st.integers(70, 85), st.sampled_from(["", "=", "é"]), st.sampled_from(["", " ", "\t", "  "]))
def test_a_line_of_any_length_ends_as_the_library_ends_it(
    length: int, before: str, blank: str
) -> None:
    text = "x" * length + before + blank
    assert quoted_printable(text, MAX_BODY_CHARACTERS) == by_the_library(text, MAX_BODY_CHARACTERS)


@given(TEXTS)
def test_what_is_written_is_read_again_and_survives_the_way(text: str) -> None:
    # Given any text, When it is written,
    written = quoted_printable(text, MAX_BODY_CHARACTERS)
    # Then no line is too long or ends with a blank, all is ASCII,
    assert written.isascii()
    for line in written.split(b"\r\n"):
        assert len(line) <= MAX_BODY_CHARACTERS
        assert not line.endswith((b" ", b"\t"))
    # and who reads it has the same lines.
    assert quopri.decodestring(written).splitlines() == (text.encode().splitlines() or [b""])
