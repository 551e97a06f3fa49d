"""What the templates of mails and texts can do: their filters, their links, how values stand."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2 import pass_context as with_context
from jinja2.runtime import Context
from markupsafe import Markup

from shared.notifications.rendering.links import MailLinks
from shared.trade import formats

PART = "__part__"
"""The template's name for the part that is being rendered; no parameter is called that."""

# Control characters, and those that turn the direction of writing and so disguise an address.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class _Values(Protocol):
    """How a part writes the values and buttons of its template."""

    def put(self, value: str) -> str: ...

    def button(self, url: str, label: str) -> str: ...


class _PlainValues:
    """For subjects and text messages: values as they are."""

    def put(self, value: str) -> str:
        return value

    def button(self, url: str, label: str) -> str:
        return f"{label}: {url}"


@dataclass(frozen=True)
class Part:
    """A subject, text or HTML while it is rendered: how it writes values, where it may lead."""

    language: str
    links: MailLinks
    values: _Values = field(default_factory=_PlainValues)


def environment(templates: Path) -> Environment:
    """Where the service's templates live.

    Values are escaped by the finalizer, which knows in which part they stand; autoescape is on
    so that what a macro returns counts as written already.
    """
    made = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_finalize,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        name: _in_language(filter_) for name, filter_ in formats.LANGUAGE_FILTERS.items()
    }
    made.filters["iban_tail"] = formats.iban_tail
    made.filters["button"] = _button
    made.filters["without_scheme"] = _without_scheme
    made.globals["page"], made.globals["address"] = _page, _address
    return made


@with_context
def _finalize(context: Context, value: object) -> Markup:
    """A value on its way into a message."""
    if isinstance(value, Markup):
        return value
    part: Part = context[PART]
    return Markup(part.values.put(printable(value)))  # noqa: S704 - escaped by put.


def printable(value: object) -> str:
    """A value as text, without signs that nobody sees or that disguise what stands there."""
    text = "" if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n")
    return UNPRINTABLE.sub("", text)


@with_context
def _button(context: Context, url: str, label: str) -> Markup:
    part: Part = context[PART]
    return Markup(part.values.button(url, label))  # noqa: S704 - escaped by Placeholders.


@with_context
def _page(context: Context, purpose: str) -> str:
    part: Part = context[PART]
    return part.links.page(purpose)


@with_context
def _address(context: Context, path: str, *parts: str) -> str:
    part: Part = context[PART]
    return part.links.address(path, *parts)


def _without_scheme(url: str) -> str:
    """An address as people type it: a telephone makes a link of it all the same."""
    return url.removeprefix("https://")


def _in_language(format_value: Callable[..., str]) -> Callable[..., str]:
    """A filter that is given the language of the message."""

    @with_context
    def filter_(context: Context, value: object, *args: object, **options: object) -> str:
        part: Part = context[PART]
        return format_value(value, part.language, *args, **options)

    return filter_
