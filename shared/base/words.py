"""What people read, in both languages side by side, so that neither is forgotten."""

from typing import NamedTuple


class Words(NamedTuple):
    """The same said in Dutch and in English."""

    nl: str
    en: str

    def in_(self, language: str) -> str:
        """What is said in this language."""
        return self.en if language == "en" else self.nl


def as_sentence(clause: str) -> str:
    """What a reason says, as a sentence: it begins with a capital and ends with a full stop."""
    return f"{clause[:1].upper()}{clause[1:].rstrip('.')}."
