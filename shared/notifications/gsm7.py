"""The GSM 7-bit alphabet of text messages (3GPP TS 23.038).

One letter outside it turns the whole message into UCS-2, where 70 letters fill a part instead
of 160. So a text is written in this alphabet before it is counted and sent.
"""

import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
"""These take two septets: an escape and the letter."""

SINGLE_PART = 160
PART_OF_SEVERAL = 153
"""Septets that one part holds; of several parts, each gives seven to its header."""

LOOKALIKES = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "`": "'", "´": "'",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-",
        "•": "-", "·": ".", "×": "x", "÷": "/", "\t": " ",
        "Œ": "OE", "œ": "oe", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ð": "d", "þ": "th",
        "ı": "i", "ẞ": "SS", "\u200b": "", "\u200d": "", "\ufe0f": "",
    }
)  # fmt: skip


class TextTooLong(ValueError):
    """The text needs more septets than it may have; the message tells both numbers, no text."""


def transliterate(text: str) -> str:
    """The nearest text in the GSM alphabet: `Zoë` becomes `Zoe`, what has no likeness `?`."""
    return "".join(_nearest(letter) for letter in unicodedata.normalize("NFC", text))


def septets(text: str) -> int:
    """How many septets the text takes.

    Raises:
        ValueError: a letter is outside the alphabet; transliterate first.
    """
    if any(letter not in BASIC and letter not in EXTENDED for letter in text):
        raise ValueError("the text holds letters outside the GSM alphabet")
    return len(text) + sum(letter in EXTENDED for letter in text)


def parts(text: str) -> int:
    """How many text messages a telephone company counts; an escaped letter is never split.

    Raises:
        ValueError: a letter is outside the alphabet.
    """
    if septets(text) <= SINGLE_PART:
        return 1
    count, room = 1, PART_OF_SEVERAL
    for letter in text:
        need = 2 if letter in EXTENDED else 1
        if need > room:
            count, room = count + 1, PART_OF_SEVERAL
        room -= need
    return count


def fit(text: str, limit: int = SINGLE_PART) -> str:
    """The text in the GSM alphabet, known to take no more than `limit` septets.

    Raises:
        TextTooLong: it takes more.
    """
    written = transliterate(text)
    taken = septets(written)
    if taken > limit:
        raise TextTooLong(f"the text takes {taken} septets; at most {limit} are allowed")
    return written


def _nearest(letter: str) -> str:
    if letter in BASIC or letter in EXTENDED:
        return letter
    plain = "".join(
        one
        for one in unicodedata.normalize("NFKD", letter.translate(LOOKALIKES))
        if not unicodedata.combining(one)
    )
    known = "".join(one for one in plain if one in BASIC or one in EXTENDED)
    return known if known or letter.translate(LOOKALIKES) == "" else "?"
