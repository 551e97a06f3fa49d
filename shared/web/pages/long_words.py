"""Names and addresses of one very long word, which would make a list wider than its page.

A column is at least as wide as its longest word. The stylesheet cannot tell that word from an
amount or a reference, which must not break: so a long one is marked, and it alone may break.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

LONGEST = 20
"""Letters of a word that stands on one line: an account number and a reference have fewer."""

_TAG = r"<[^>]*>"
_LETTER = r"(?:&#?\w+;|[^\s<>&-])"
_PIECES = re.compile(rf"{_TAG}|({_LETTER}{{{LONGEST + 1},}})")


def breakable(value: object) -> "Markup":
    """The same text or markup, in which what is longer than any ordinary word may break.

    A hyphen ends a word: a line breaks there anyway.
    """
    from markupsafe import Markup, escape

    def mark(found: re.Match[str]) -> str:
        long = found.group(1)
        return f'<span class="long-word">{long}</span>' if long else found.group()

    # What comes in is escaped, or markup of our own; what is added stands here.
    return Markup(_PIECES.sub(mark, str(escape("" if value is None else value))))  # noqa: S704
