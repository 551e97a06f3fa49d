"""Templates to letters: each mail is written once, in Markdown, and sent as text and as HTML.

    <templates>/<kind>/nl.md, en.md            {% block subject %} and {% block body %}
    <templates>/<kind>/nl.sms.txt, en.sms.txt  a text message

In the text part a value stands as it is and nothing of the Markdown is left; in the HTML part
it is escaped (see markdown.py). Filters:
`money` (cents), `day`, `moment` and `moment(short=True)` (Dutch time), `iban_tail`; `button`
makes a link a button: `{{ login_url | button("Inloggen") }}`. A value of None writes nothing.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2 import pass_context as with_context
from jinja2.runtime import Context
from markupsafe import Markup

from shared.notifications import formats, gsm7
from shared.notifications.letters import Attachment, Email, Sms
from shared.notifications.markdown import HiddenValues, PlainText

LANGUAGES = ("nl", "en")
LAYOUT = Path(__file__).parent / "templates"
BLOCKS = ("subject", "body")
WRITING = "__writing__"

# Control characters, and those that turn the direction of writing and so disguise an address.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


class TemplatesIncomplete(Exception):
    """A template is missing or cannot be read; the message lists all that are at fault."""


class _Values(Protocol):
    def put(self, value: str) -> str: ...

    def button(self, url: str, label: str) -> str: ...


class _PlainValues:
    """For subjects and text messages: values as they are."""

    def put(self, value: str) -> str:
        return value

    def button(self, url: str, label: str) -> str:
        return f"{label}: {url}"


@dataclass(frozen=True)
class _Writing:
    """One rendering: in which language, and how values are written."""

    language: str
    values: _Values = field(default_factory=_PlainValues)


class Renderer:
    """Makes letters from the templates of one service; keeps templates, never what is filled in.

    `brand` is shown above each mail.
    """

    def __init__(self, templates: Path, brand: str = "iMUIS Online") -> None:
        self.templates = templates
        self.brand = brand
        self._environment = _environment(templates)
        self._layout = Environment(
            loader=FileSystemLoader(LAYOUT),
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
        """Fill the template of a mail.

        Raises:
            jinja2.TemplateError: there is no such template, or it asks for what is not given.
        """
        template = self._environment.get_template(f"{kind}/{language}.md")
        hidden, plain = HiddenValues(), PlainText()
        subject = " ".join(_block(template, "subject", params, _Writing(language)).split())
        text = plain.to_text(_tidy(_block(template, "body", params, _Writing(language, plain))))
        body = hidden.to_html(_tidy(_block(template, "body", params, _Writing(language, hidden))))
        footer = self._layout.get_template(f"footer.{language}.txt").render(brand=self.brand)
        page = self._layout.get_template("layout.html").render(
            language=language,
            subject=subject,
            body=Markup(body),  # noqa: S704 - every value in it was escaped by HiddenValues.
            footer=footer,
            brand=self.brand,
        )
        return Email(
            to=to,
            subject=subject,
            text=f"{text}\n\n-- \n{footer}\n",
            html=page,
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
        limit: int = gsm7.SINGLE_PART,
    ) -> Sms:
        """Fill the template of a text message, in the GSM alphabet.

        Raises:
            gsm7.TextTooLong: it takes more than `limit` septets; above 160 it goes in parts.
            jinja2.TemplateError: there is no such template, or it asks for what is not given.
        """
        template = self._environment.get_template(f"{kind}/{language}.sms.txt")
        text = template.render({**params, WRITING: _Writing(language)})
        return Sms(to, gsm7.fit(_tidy(text), limit), message_key, kind)

    def check(self, kinds: Iterable[str]) -> None:
        """See that each kind has a mail or a text message, in every language, that compiles.

        Raises:
            TemplatesIncomplete: some do not.
        """
        faults = [fault for kind in kinds for fault in self._faults(kind)]
        if faults:
            raise TemplatesIncomplete(f"{self.templates}: " + "; ".join(faults))

    def _faults(self, kind: str) -> Iterable[str]:
        folder = self.templates / kind
        endings = [
            ending
            for ending in (".md", ".sms.txt")
            if any((folder / f"{language}{ending}").exists() for language in LANGUAGES)
        ]
        if not endings:
            yield f"{kind} has no template"
        for name in (f"{kind}/{language}{end}" for end in endings for language in LANGUAGES):
            try:
                template = self._environment.get_template(name)
            except TemplateError as error:
                yield f"{name}: {type(error).__name__}: {error.message or 'not found'}"
                continue
            if name.endswith(".md"):
                yield from (f"{name} has no {one}" for one in BLOCKS if one not in template.blocks)


def _environment(templates: Path) -> Environment:
    """Where the service's templates live.

    Values are escaped by the finalizer, which knows in which part they stand; autoescape is on
    so that what a macro returns counts as written already.
    """
    environment = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_write,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: _told(one) for name, one in formats.IN_LANGUAGE.items()}
    environment.filters["iban_tail"] = formats.iban_tail
    environment.filters["button"] = _button
    return environment


@with_context
def _write(context: Context, value: object) -> Markup:
    """A value on its way into a letter."""
    if isinstance(value, Markup):
        return value
    text = "" if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n")
    writing: _Writing = context[WRITING]
    return Markup(writing.values.put(UNPRINTABLE.sub("", text)))  # noqa: S704 - escaped by put.


@with_context
def _button(context: Context, url: str, label: str) -> Markup:
    writing: _Writing = context[WRITING]
    return Markup(writing.values.button(url, label))  # noqa: S704 - escaped by HiddenValues.


def _told(format_value: Callable[..., str]) -> Callable[..., str]:
    """A filter that is told the language of the letter."""

    @with_context
    def in_language(context: Context, value: object, *args: object, **named: object) -> str:
        writing: _Writing = context[WRITING]
        return format_value(value, writing.language, *args, **named)

    return in_language


def _block(template: Template, name: str, params: Mapping[str, Any], writing: _Writing) -> str:
    context = template.new_context({**params, WRITING: writing})
    return "".join(template.blocks[name](context))


def _tidy(text: str) -> str:
    """What conditions leave behind, blank lines and margins, is no part of the letter."""
    return BLANK_LINES.sub("\n\n", text).strip()
