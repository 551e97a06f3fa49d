"""The menu of the pages: each service tells its part of it, and loads no web framework for that."""

from dataclasses import dataclass

from shared.base.words import Words


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """One line of the navigation: where it leads, and for whom it is (who has the scope)."""

    path: str
    words: Words
    scope: str
