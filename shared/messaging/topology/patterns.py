"""Names as RabbitMQ's regular expressions, and such expressions as Python reads them."""

import re


def exactly(*names: str) -> str:
    r"""A regular expression for these names and nothing else.

    It ends in `\z`: a `$` would let a line break through after the name.
    """
    if len(names) == 1:
        return rf"^{re.escape(names[0])}\z"
    return rf"^({'|'.join(re.escape(name) for name in names)})\z" if names else r"^\z"


def matches(pattern: str, name: str) -> bool:
    """Whether RabbitMQ finds the pattern in the name; one that Python cannot read matches nothing.

    What is wrongly taken for no match is found all the same: the broker says which policy holds.
    """
    try:
        return re.search(pattern.replace(r"\z", r"\Z"), name) is not None
    except re.error:
        return False
