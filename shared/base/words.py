"""What people read, in both languages side by side, so that neither is forgotten."""

from typing import NamedTuple


class Words(NamedTuple):
    """The same said in Dutch and in English."""

    nl: str
    en: str

    def in_(self, language: str) -> str:
        """What is said in this language."""
        return self.en if language == "en" else self.nl
