"""Forms as browsers post them: read with limits, a blank field is an absent one."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from shared.base.errors import FieldError, Problem
from shared.base.text import NO_TEXT
from shared.events.envelope import MAX_BODY_BYTES

MAX_FIELDS = 200
MAX_FIELD_BYTES = MAX_BODY_BYTES
"""As much as a whole form: a corrected event is one field, and is sent in up to nine times its
length, since a sign of three bytes is written as nine."""
FORM_KEY = "form_key"
"""The hidden field that makes a form post one act, however often it is sent."""


@dataclass(frozen=True)
class FormView:
    """A form as it is shown: what stands in its fields, and what is wrong with them."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    errors: Sequence[FieldError] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any], errors: Sequence[FieldError] = ()) -> "FormView":
        """A form filled with these values, nested or by dotted names."""
        return cls(dict(_flat(values)), errors)

    def value(self, name: str) -> str:
        """What stands in a field, as it was typed."""
        return next(iter(self.values.get(name, ())), "")

    def has(self, name: str, value: str) -> bool:
        """Whether this choice is made."""
        return value in self.values.get(name, ())

    def error(self, name: str) -> str | None:
        """What is wrong with a field."""
        return next((error.message for error in self.errors if error.field == name), None)


@dataclass(frozen=True)
class PostedForm:
    """A form that was posted.

    `key` makes a repeat of it harmless: hand it on as the key of the command.
    """

    data: FormData
    key: str

    def id_for(self, owner: str) -> str:
        """The id of what this form makes for somebody: the same each time that it is sent.

        It is of its owner too: the key alone is whatever a stranger sends along.
        """
        return str(uuid5(UUID(self.key), owner))

    def text(self, name: str) -> str | None:
        """What was typed into a field, without the blanks around it; None where that is nothing."""
        value = self.data.get(name)
        return (value.strip() or None) if isinstance(value, str) else None

    def texts(self, name: str) -> list[str]:
        """All that was chosen under this name."""
        values = (value.strip() for value in self.data.getlist(name) if isinstance(value, str))
        return [value for value in values if value]

    def checked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self.text(name) is not None

    def upload(self, name: str) -> UploadFile | None:
        """The file that was chosen, if one was."""
        value = self.data.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def nested(self, lists: Sequence[str] = ()) -> dict[str, Any]:
        """The fields as JSON: `customer.contact.last_name` within its objects, blanks left out.

        `lists` are the names of which several may be chosen.
        """
        result: dict[str, Any] = {}
        for name in dict.fromkeys(self.data.keys()):
            value: Any = self.texts(name) if name in lists else self.text(name)
            if name == FORM_KEY or value is None:
                continue
            *path, last = name.split(".")
            inner = result
            for part in path:
                inner = inner.setdefault(part, {})
                if not isinstance(inner, dict):
                    raise Problem("form_malformed", "The form has a field within a text.")
            inner[last] = value
        return result

    def view(self, errors: Sequence[FieldError] = ()) -> FormView:
        """The form as it was typed, to be shown again with what is wrong with it."""
        texts = {
            name: [value for value in self.data.getlist(name) if isinstance(value, str)]
            for name in self.data
            if name != FORM_KEY
        }
        return FormView(texts, errors)


def reads_form(max_files: int = 0) -> Callable[[Request], Awaitable[PostedForm]]:
    """A dependency that reads the posted form, with at most so many files."""

    async def read(request: Request) -> PostedForm:
        data = await read_fields(request, max_files)
        key = data.get(FORM_KEY)
        try:
            return PostedForm(data, str(UUID(str(key))))
        except ValueError:
            raise Problem(
                "form_key_missing", "This form is incomplete; open the page anew and try again."
            ) from None

    return read


async def read_fields(request: Request, max_files: int = 0) -> FormData:
    """The fields of a posted form, within limits, and with text in them that can be written again.

    Raises:
        Problem: it is no form that a browser sends.
    """
    try:
        data = await request.form(
            max_files=max_files, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
        )
    except UnicodeError:  # It names a codec of its own for its parts.
        raise _malformed() from None
    texts = (text for item in data.multi_items() for text in item if isinstance(text, str))
    if any(NO_TEXT.search(text) for text in texts):
        raise _malformed()
    return data


def _malformed() -> Problem:
    return Problem("form_malformed", "The form holds what is no text; open the page anew.")


Posted = Annotated[PostedForm, Depends(reads_form())]
"""The form that was posted, without files."""


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Sequence[str]]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{name}", [str(item) for item in value]
        elif value is not None:
            yield f"{prefix}{name}", [str(value)]
