"""Reading a form that may hold anything: every field is looked at, every error collected."""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any

from services.signup.form.texts import text
from shared.base.errors import FieldError
from shared.events.shapes import Language

MAX_ERRORS = 50
JOINERS = "\u200c\u200d"


class Wrong(Exception):
    """One field is wrong; `code` names the sentence for it."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


class Form:
    """The data of a sign-up, and what is wrong with it so far."""

    def __init__(self, data: Mapping[str, Any], language: Language) -> None:
        self._data = data
        self.language = language
        self._errors: dict[str, FieldError] = {}

    @property
    def errors(self) -> tuple[FieldError, ...]:
        """What is wrong with each field, in the order in which they were read."""
        return tuple(self._errors.values())

    def wrong(self, field: str, code: str, **values: object) -> None:
        """Note that a field is wrong; of a field that several rules read the first error stays."""
        message = text(code, self.language, **values)
        self.note(FieldError(field=field, code=code, message=message))

    def note(self, error: FieldError) -> None:
        """Note what is wrong with a field, unless that was told before."""
        if len(self._errors) < MAX_ERRORS:
            self._errors.setdefault(error.field, error)

    def part(self, name: str) -> Mapping[str, Any]:
        """A part of the form with fields of its own; empty when it is missing or no object."""
        value = self._data.get(name)
        if isinstance(value, Mapping):
            return value
        self.wrong(name, "missing" if value is None else "not_object")
        return {}

    def line(self, field: str, *, required: bool = True, limit: int = 200) -> str | None:
        """One line of text, in normal form; None when it is absent or wrong."""
        try:
            value = line_of(self._value(field), limit)
        except Wrong as wrong:
            self.wrong(field, wrong.code, **wrong.values)
            return None
        if value is None and required and self._reachable(field):
            self.wrong(field, "missing")
        return value

    def checked(
        self, field: str, rule: Callable[[str], str], *, required: bool = True, limit: int = 200
    ) -> str | None:
        """One line that must satisfy a rule; the rule gives its normal form."""
        value = self.line(field, required=required, limit=limit)
        if value is None:
            return None
        try:
            return rule(value)
        except Wrong as wrong:
            self.wrong(field, wrong.code, **wrong.values)
            return None

    def choice(
        self, field: str, choices: Collection[str], *, default: str | None = None
    ) -> str | None:
        """One of a few words."""
        value = self.line(field, required=default is None, limit=40)
        if value is None:
            return default
        if value not in choices:
            self.wrong(field, "choice", choices=", ".join(choices))
            return None
        return value

    def _value(self, field: str) -> Any:
        value: Any = self._data
        for name in field.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _reachable(self, field: str) -> bool:
        """Whether the part around a field is there; if not, that was said of the part itself."""
        parent = field.rpartition(".")[0]
        return not parent or isinstance(self._value(parent), Mapping)


def line_of(value: Any, limit: int) -> str | None:
    """One line of text in Unicode's normal form, without blanks around it; None when empty.

    Raises:
        Wrong: it is not text, too long, or holds something that is not one line of text.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise Wrong("not_text")
    if len(value) > 4 * limit:
        raise Wrong("too_long", limit=limit)
    stripped = unicodedata.normalize("NFC", value.strip(" \t"))
    if any(_is_hidden(character) for character in stripped):
        raise Wrong("control_character")
    if len(stripped) > limit:
        raise Wrong("too_long", limit=limit)
    return stripped or None


def _is_hidden(character: str) -> bool:
    """Whether it breaks a line, is half a character, or reorders what a person reads.

    Joiners within words are fine.
    """
    # Cc: line breaks and NUL; Cf: writing-direction tricks; Cs: halves of characters.
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and character not in JOINERS)
