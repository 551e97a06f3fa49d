"""Text that people write, as every HTTP call takes it: normal, plain, and without citizen numbers.

    class Decline(BaseModel):
        reason: PlainLine = Field(min_length=1, max_length=200)

Lengths are those of the normal form, so that a text of which nothing is to be seen is empty.
"""

import re
import unicodedata
from typing import Annotated

from pydantic import BeforeValidator

from shared.base.text import NotPlainText, normal, normal_lines
from shared.trade.citizen_number import holds_citizen_number, names_citizen_number

ENDINGS = (
    "com|net|org|info|biz|name|pro|mobi|eu|nl|be|de|fr|uk|es|it|pl|ru|cn|in|us|ch|at|dk|se|no|fi|"
    "io|co|me|ly|gl|gd|cc|tv|ws|to|is|ai|sh|st|su|tk|ml|ga|cf|gq|link|click|xyz|top|site|online|"
    "website|space|store|shop|app|dev|page|web|live|life|club|vip|icu|rest|bond|cyou|sbs|cam|buzz|"
    "work|world|today|support|security|frl|amsterdam|gratis|win|bid|loan|men|review|zip|mov"
)
"""Ends of the domains that mail programs make a link of, and that bad mails are full of."""

LINK = re.compile(
    rf"[a-z][a-z0-9+.\-]*://|\bwww\d?\.|\bxn--|(?<![@\w.])(?:[\w-]+\.)*[\w-]{{2,}}\.(?:{ENDINGS})"
    r"(?![\w-])|(?<![@\w.])[\w-]+(?:\.[\w-]+)+/\w"
)


LEAVE_OUT = "this looks like a citizen number (BSN); leave it out"


class CitizenNumberGiven(ValueError):
    """It seems to hold a citizen number, which is neither kept nor repeated."""


def holds_link(value: str) -> bool:
    """Whether a mail program would show part of this text as a link (RFC 3986, or a bare name)."""
    text = unicodedata.normalize("NFKC", value).casefold().replace("\u3002", ".")
    return LINK.search(text) is not None


def plain_line(value: object) -> object:
    """One line of text in normal form; what is no text is left for the field's own type.

    Raises:
        NotPlainText: it holds a control character or a sign that turns the direction.
        CitizenNumberGiven: it holds a citizen number.
    """
    return _guarded(normal(value)) if isinstance(value, str) else value


def plain_lines(value: object) -> object:
    """The same for a text that may have several lines; they are read as one.

    Raises:
        NotPlainText: it holds a control character or a sign that turns the direction.
        CitizenNumberGiven: it holds a citizen number.
    """
    return _guarded(normal_lines(value)) if isinstance(value, str) else value


def plain_code(value: object) -> object:
    """A code or number in normal form: it may look like a citizen number, but not be called one.

    Raises:
        NotPlainText: it holds a control character or a sign that turns the direction.
        CitizenNumberGiven: it says that it is a citizen number.
    """
    if not isinstance(value, str):
        return value
    code = normal(value)
    if names_citizen_number(code):
        raise CitizenNumberGiven(LEAVE_OUT)
    return code


def is_plain_code(code: str, limit: int = 35) -> bool:
    """Whether a thing may be known by it: something is seen of it, and it is in normal form."""
    try:
        return 1 <= len(code) <= limit and plain_code(code) == code
    except (NotPlainText, CitizenNumberGiven):
        return False


def _guarded(value: str) -> str:
    if holds_citizen_number(value):
        raise CitizenNumberGiven(LEAVE_OUT)
    return value


PlainLine = Annotated[str, BeforeValidator(plain_line)]
PlainText = Annotated[str, BeforeValidator(plain_lines)]
PlainCode = Annotated[str, BeforeValidator(plain_code)]
