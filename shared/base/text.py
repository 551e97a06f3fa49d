"""The one normal form of text, which every door gives a text before any rule reads it.

It is Unicode's NFC, with each run of blanks of any kind made one space, and without the signs that
nobody sees and that mean nothing where they stand. What breaks a line, or turns the direction of
what a person reads, is refused: no field of ours needs it, and mails, logs and terminals obey it.
"""

import re
import unicodedata
from collections.abc import Iterator

HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)
"""Control characters, line breaks, halves of characters, and marks that turn the direction."""

NO_TEXT = re.compile("[\x00\ud800-\udfff]")
"""NUL and halves of characters, which no database stores and no answer can repeat."""

NO_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
"""Not of Unicode's class of invisible signs, yet nobody sees them (Default_Ignorable)."""

BLANK_PATTERN = "\u2800"
"""Braille without a dot: a blank that Unicode counts among the symbols."""

NUMBER_SIGNS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\U000110bd\U000110cd"
"""Of the class of invisible signs, yet seen: they stand before Arabic and Kaithi numbers."""

NON_JOINER, JOINER = "\u200c", "\u200d"
VIRAMA = 9
"""The combining class of the signs after which a joiner chooses a letter's form (RFC 5892, A)."""

CURSIVE = ("ARABIC", "SYRIAC", "MONGOLIAN", "NKO", "MANDAIC")
"""Scripts whose letters join, so that a non-joiner between them is part of the spelling."""

SEPARATORS = re.compile(r"[\W_]+")


class NotPlainText(ValueError):
    """It holds a character that no field takes; the text says what to do."""


def normal(value: str) -> str:
    """A text of one line in its normal form; empty when there is nothing to be seen in it.

    Raises:
        NotPlainText: it holds a control character, a line break, or a sign that turns the
            direction of writing.
    """
    # A tab is a blank that people paste; every other control character is a mistake or a trick.
    value = value.replace("\t", " ")
    if HIDDEN.search(value):
        raise NotPlainText(
            "this holds a line break or another invisible control character; remove it"
        )
    return _one_blank(_bare(value))


def normal_lines(value: str) -> str:
    """A text that may have several lines, in its normal form and read as one.

    Raises:
        NotPlainText: it holds a control character that is no line break, or a sign that turns the
            direction of writing.
    """
    return normal(re.sub("[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+", " ", value))


def findable(value: str) -> str:
    """What a person types to find a text by, spelt as `normal` keeps that text.

    What no field takes is left out: no text that is kept holds it. Nor need anything be seen in
    it: it may be the beginning of a text only.
    """
    return " ".join(_bare(HIDDEN.sub("", " ".join(value.split()))).split())


def undirected(value: str) -> str:
    """A text without the marks of direction that telephones put around a number they copy."""
    return re.sub("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", value)


def comparable(value: str) -> str:
    """By what two texts are the same to a person: whatever their case, width and joiners."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    bare = "".join(character for character in folded if character not in (NON_JOINER, JOINER))
    return _one_blank(unicodedata.normalize("NFC", bare))


def compact(value: str) -> str:
    """A number or code without what people write between its signs: blanks, points, dashes.

    Wide forms become plain ones (NFKC); the digits of other scripts stay what they are.
    """
    return SEPARATORS.sub("", unicodedata.normalize("NFKC", value))


def _bare(value: str) -> str:
    """A text without the signs that mean nothing where they stand."""
    return value if value.isascii() else unicodedata.normalize("NFC", "".join(_seen(value)))


def _one_blank(value: str) -> str:
    line = " ".join(value.split())
    return line if any(unicodedata.category(sign)[0] in "LNPS" for sign in line) else ""


def _seen(value: str) -> Iterator[str]:
    """The characters that mean something where they stand."""
    before = ""
    for position, character in enumerate(value):
        after = value[position + 1 : position + 2]
        if character in (NON_JOINER, JOINER):
            keep = _joins(before, character, after)
        elif _is_variation_selector(character):
            is_chosen = before and (unicodedata.category(before)[0] in "SN" or _is_han(before))
            keep = bool(is_chosen)
        else:
            keep = character in NUMBER_SIGNS or not _is_invisible(character)
        if keep:
            yield " " if character == BLANK_PATTERN else character
            before = character


def _joins(before: str, joiner: str, after: str) -> bool:
    """Whether a joiner decides how its neighbours look: a script's letters, or one picture."""
    if not before or not after:
        return False
    if unicodedata.combining(before) == VIRAMA:
        return True
    if joiner == NON_JOINER:
        return _is_cursive(before) and _is_cursive(after)
    picture = unicodedata.category(before) in ("So", "Sk") or _is_variation_selector(before)
    return picture and unicodedata.category(after)[0] == "S"


def _is_cursive(character: str) -> bool:
    return unicodedata.name(character, "").startswith(CURSIVE)


def _is_han(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK ")


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) == "Cf" or character in NO_LETTERS
