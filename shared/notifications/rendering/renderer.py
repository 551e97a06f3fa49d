"""Templates to messages: each mail is written once, in Markdown, and sent as text and as HTML.

    <templates>/<kind>/nl.md, en.md            {% block subject %} and {% block body %}
    <templates>/<kind>/nl.sms.txt, en.sms.txt  a text message

In the text part a value stands as it is and nothing of the Markdown is left; in the HTML part
it is escaped (see markdown.py). Filters:
`money` (cents), `day`, `moment` and `moment(short=True)` (Dutch time), `iban_tail`; `button`
makes a link a button: `{{ login_url | button("Inloggen") }}`. A value of None writes nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2 import pass_context as with_context
from jinja2.runtime import Context
from markupsafe import Markup

from shared.notifications.rendering import formats, gsm7, template_files
from shared.notifications.rendering.markdown import HtmlPlaceholders, TextPlaceholders
from shared.notifications.rendering.template_files import LANGUAGES, MAIL_SUFFIX, SMS_SUFFIX
from shared.notifications.senders import Attachment, Email, Sms

MAIL_BLOCKS = ("subject", "body")
PART = "__part__"
"""The template's name for the part that is being rendered; no parameter is called that."""

# Control characters, and those that turn the direction of writing and so disguise an address.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


class TemplatesIncomplete(Exception):
    """A template is missing or cannot be read; the message lists all that are at fault."""


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
class _Part:
    """A subject, text or HTML while it is rendered: in which language, how values are written."""

    language: str
    values: _Values = field(default_factory=_PlainValues)


class Renderer:
    """Makes messages from the templates of one service; keeps templates, never what is filled in.

    `brand` is shown above each mail.
    """

    def __init__(self, templates: Path, brand: str = "iMUIS Online") -> None:
        self.templates = templates
        self.brand = brand
        self._environment = _environment(templates)
        self._layout = Environment(
            loader=FileSystemLoader(template_files.LAYOUT_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
        )

    def render_email(
        self,
        kind: str,
        language: str,
        params: Mapping[str, Any],
        *,
        to: str,
        message_key: str,
        reply_to: str | None = None,
        attachments: Sequence[Attachment] = (),
    ) -> Email:
        """The template of a mail, filled in.

        Raises:
            jinja2.TemplateError: there is no such template, or it asks for what is not given.
        """
        template = self._environment.get_template(f"{kind}/{language}{MAIL_SUFFIX}")
        in_html, in_text = HtmlPlaceholders(), TextPlaceholders()
        subject = " ".join(_block(template, "subject", params, _Part(language)).split())
        text = in_text.to_text(_block(template, "body", params, _Part(language, in_text)))
        body = in_html.to_html(_block(template, "body", params, _Part(language, in_html)))
        footer = self._layout.get_template(f"footer.{language}.txt").render(brand=self.brand)
        return Email(
            to=to,
            subject=subject,
            text=f"{text}\n\n-- \n{footer}\n",
            html=self._page(language, subject, body, footer),
            language=language,
            reply_to=reply_to,
            attachments=tuple(attachments),
            message_key=message_key,
            kind=kind,
        )

    def render_sms(
        self,
        kind: str,
        language: str,
        params: Mapping[str, Any],
        *,
        to: str,
        message_key: str,
        limit: int = gsm7.SINGLE_PART_SEPTETS,
    ) -> Sms:
        """The template of a text message, filled in and written in the GSM alphabet.

        Raises:
            gsm7.TextTooLong: it takes more than `limit` septets; above 160 it goes in parts.
            jinja2.TemplateError: there is no such template, or it asks for what is not given.
        """
        template = self._environment.get_template(f"{kind}/{language}{SMS_SUFFIX}")
        text = template.render({**params, PART: _Part(language)})
        return Sms(to, gsm7.fit(_without_margins(text), limit), message_key, kind)

    def check(self, kinds: Iterable[str]) -> None:
        """See that each kind has a mail or a text message, in every language, that compiles.

        The layout around every mail is checked as well, and that no file is missing in any
        folder of these templates.

        Raises:
            TemplatesIncomplete: some are not.
        """
        kinds = list(kinds)
        faults = template_files.missing_templates(self.templates, kinds)
        faults += self._layout_faults()
        faults += [fault for kind in kinds for fault in self._kind_faults(kind)]
        if faults:
            raise TemplatesIncomplete(f"{self.templates}: " + "; ".join(faults))

    def _page(self, language: str, subject: str, body: str, footer: str) -> str:
        return self._layout.get_template("layout.html").render(
            language=language,
            subject=subject,
            body=Markup(body),  # noqa: S704 - every value in it was escaped by HtmlPlaceholders.
            footer=footer,
            brand=self.brand,
        )

    def _layout_faults(self) -> Iterator[str]:
        for name in template_files.LAYOUT_FILES:
            if (template_files.LAYOUT_FOLDER / name).is_file():
                yield from _faults(self._layout, name)

    def _kind_faults(self, kind: str) -> Iterator[str]:
        for suffix in template_files.suffixes(self.templates / kind):
            for name in (f"{kind}/{language}{suffix}" for language in LANGUAGES):
                if (self.templates / name).is_file():
                    yield from _faults(self._environment, name)


def _faults(environment: Environment, name: str) -> Iterator[str]:
    """What is wrong with a template that is there."""
    try:
        template = environment.get_template(name)
    except TemplateError as error:
        yield f"{name}: {type(error).__name__}: {error.message}"
        return
    if name.endswith(MAIL_SUFFIX):
        missing = (block for block in MAIL_BLOCKS if block not in template.blocks)
        yield from (f"{name} has no {block}" for block in missing)


def _environment(templates: Path) -> Environment:
    """Where the service's templates live.

    Values are escaped by the finalizer, which knows in which part they stand; autoescape is on
    so that what a macro returns counts as written already.
    """
    environment = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_finalize,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        name: _in_language(filter_) for name, filter_ in formats.LANGUAGE_FILTERS.items()
    }
    environment.filters["iban_tail"] = formats.iban_tail
    environment.filters["button"] = _button
    return environment


@with_context
def _finalize(context: Context, value: object) -> Markup:
    """A value on its way into a message."""
    if isinstance(value, Markup):
        return value
    text = "" if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n")
    part: _Part = context[PART]
    return Markup(part.values.put(UNPRINTABLE.sub("", text)))  # noqa: S704 - escaped by put.


@with_context
def _button(context: Context, url: str, label: str) -> Markup:
    part: _Part = context[PART]
    return Markup(part.values.button(url, label))  # noqa: S704 - escaped by HtmlPlaceholders.


def _in_language(format_value: Callable[..., str]) -> Callable[..., str]:
    """A filter that is given the language of the message."""

    @with_context
    def filter_(context: Context, value: object, *args: object, **options: object) -> str:
        part: _Part = context[PART]
        return format_value(value, part.language, *args, **options)

    return filter_


def _block(template: Template, name: str, params: Mapping[str, Any], part: _Part) -> str:
    context = template.new_context({**params, PART: part})
    return _without_margins("".join(template.blocks[name](context)))


def _without_margins(text: str) -> str:
    """What conditions leave behind, blank lines and margins, is no part of the message."""
    return BLANK_LINES.sub("\n\n", text).strip()
