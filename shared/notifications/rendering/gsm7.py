"""The GSM 7-bit alphabet of text messages (3GPP TS 23.038).

One character outside it turns the whole message into UCS-2, where 70 characters fill a part
instead of 160. So a text is written in this alphabet before it is counted and sent.
"""

import unicodedata

BASIC_CHARACTERS = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED_CHARACTERS = frozenset("\f^{}\\[~]|€")
"""These take two septets: an escape and the character."""
ALPHABET = BASIC_CHARACTERS | EXTENDED_CHARACTERS

SINGLE_PART_SEPTETS = 160
"""What one text message holds; of a longer one, each part has room for seven less."""

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


def fit(text: str, limit: int = SINGLE_PART_SEPTETS) -> str:
    """The text in the GSM alphabet, in no more than `limit` septets.

    Raises:
        TextTooLong: it takes more.
    """
    text = transliterate(text)
    septets = count_septets(text)
    if septets > limit:
        raise TextTooLong(f"the text takes {septets} septets; at most {limit} are allowed")
    return text


def transliterate(text: str) -> str:
    """The nearest text in the GSM alphabet: `Zoë` becomes `Zoe`, what has no likeness `?`."""
    return "".join(_nearest(character) for character in unicodedata.normalize("NFC", text))


def count_septets(text: str) -> int:
    """How many septets the text takes.

    Raises:
        ValueError: a character is outside the alphabet; transliterate first.
    """
    if not ALPHABET.issuperset(text):
        raise ValueError("the text holds characters outside the GSM alphabet")
    return len(text) + sum(character in EXTENDED_CHARACTERS for character in text)


def _nearest(character: str) -> str:
    if character in ALPHABET:
        return character
    lookalike = character.translate(LOOKALIKES)
    decomposed = unicodedata.normalize("NFKD", lookalike)
    nearest = "".join(part for part in decomposed if part in ALPHABET)
    return nearest if nearest or lookalike == "" else "?"
