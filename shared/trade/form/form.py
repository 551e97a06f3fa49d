"""Reading a form that may hold anything: every field is looked at, every error collected."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from shared.base.errors import FieldError
from shared.base.text import NotPlainText, normal, normal_lines, undirected
from shared.events.shapes import Language
from shared.trade.citizen_number import holds_citizen_number
from shared.trade.form.texts import text

MAX_ERRORS = 50
MAX_SENTENCE = 500
"""Characters of what is told of one field (`FieldError`)."""


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
        message = _cut(text(code, self.language, **values))
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

    def line(
        self,
        field: str,
        *,
        required: bool = True,
        limit: int = 200,
        reader: "Reader | None" = None,
    ) -> str | None:
        """One line of text, in normal form; None when it is absent or wrong.

        `reader` reads what is no text of a person, such as a number.
        """
        try:
            value = (reader or line_of)(self._value(field), limit)
        except Wrong as wrong:
            self.wrong(field, wrong.code, **wrong.values)
            return None
        if value is None and required and self._reachable(field):
            self.wrong(field, "missing")
        return value

    def lines(self, field: str, *, limit: int) -> str | None:
        """An optional text that may have several lines, each blank and break read as one blank."""
        return self.line(field, required=False, limit=limit, reader=lines_of)

    def number(
        self,
        field: str,
        rule: Callable[[str], str] | None = None,
        *,
        required: bool = False,
        limit: int = 200,
    ) -> str | None:
        """A number or code, whose own rule judges it; marks of direction around it are dropped."""
        value = self.line(field, required=required, limit=limit, reader=number_of)
        return value if rule is None else self._by_rule(field, value, rule)

    def checked(
        self, field: str, rule: Callable[[str], str], *, required: bool = True, limit: int = 200
    ) -> str | None:
        """One line that must satisfy a rule; the rule gives its normal form."""
        return self._by_rule(field, self.line(field, required=required, limit=limit), rule)

    def _by_rule(self, field: str, value: str | None, rule: Callable[[str], str]) -> str | None:
        if value is None:
            return None
        try:
            return rule(value)
        except Wrong as wrong:
            self.wrong(field, wrong.code, **wrong.values)
            return None

    def choice(
        self,
        field: str,
        choices: Collection[str],
        *,
        default: str | None = None,
        tag: bool = False,
    ) -> str | None:
        """One of a few words; with `tag` one of a few languages, by its tag (RFC 5646)."""
        value = self.number(field, required=default is None, limit=40)
        if value is None:
            return default
        value = value.lower().partition("-")[0] if tag else value
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


def _cut(sentence: str) -> str:
    """A sentence as an answer has room for it: a catalogue may have any number of modules."""
    return sentence if len(sentence) <= MAX_SENTENCE else f"{sentence[: MAX_SENTENCE - 1]}…"


Reader = Callable[[Any, int], str | None]


def line_of(value: Any, limit: int) -> str | None:
    """One line of text in normal form, without a citizen number; None when it is empty.

    Raises:
        Wrong: it is not text, too long, no plain line, or seems to hold a citizen number.
    """
    return _guarded(_read(value, limit, normal))


def lines_of(value: Any, limit: int) -> str | None:
    """The same of a text that may have several lines.

    Raises:
        Wrong: it is not text, too long, not plain, or seems to hold a citizen number.
    """
    return _guarded(_read(value, limit, normal_lines))


def number_of(value: Any, limit: int) -> str | None:
    """A number or code in normal form, without marks of direction; None when it is empty.

    Raises:
        Wrong: it is not text, too long, or no plain line.
    """
    return _read(value, limit, lambda text: normal(undirected(text)))


def _read(value: Any, limit: int, normalise: Callable[[str], str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise Wrong("not_text")
    if len(value) > 4 * limit:
        raise Wrong("too_long", limit=limit)
    try:
        line = normalise(value)
    except NotPlainText:
        raise Wrong("control_character") from None
    if len(line) > limit:
        raise Wrong("too_long", limit=limit)
    return line or None


def _guarded(value: str | None) -> str | None:
    if value is not None and holds_citizen_number(value):
        raise Wrong("citizen_number")
    return value
