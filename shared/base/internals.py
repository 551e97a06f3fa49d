"""Names of other people's libraries that we use although nobody promises them.

A release without one of them is named when the program starts, with what to do about it, and not
found out when the first request or message comes.
"""

from collections.abc import Iterable
from types import FunctionType

AS_LOCKED = "install the release that requirements.lock names"


def require_internals(
    library: str,
    owner: type,
    *,
    members: Iterable[str] = (),
    attributes: Iterable[str] = (),
    remedy: str = AS_LOCKED,
) -> None:
    """Check that a class has every name that we use.

    `library` is its name with its version; `members` are found on the class itself, `attributes`
    are those that its methods read or set on an instance, or call; `remedy` is what to do.

    Raises:
        ImportError: one is missing; the text says which, and what to do.
    """
    named = names_in_code(owner)
    missing = [name for name in members if not hasattr(owner, name)]
    missing += [name for name in attributes if name not in named]
    if missing:
        raise ImportError(
            f"{library} has no {owner.__name__}.{missing[0]}, which Stappenplan uses: {remedy}"
        )


def names_in_code(owner: type) -> set[str]:
    """Every name in the code of a class: what its methods set on `self` is no member of it."""
    return {
        name
        for base in owner.__mro__
        for member in vars(base).values()
        if isinstance(member, FunctionType)
        for name in member.__code__.co_names
    }
