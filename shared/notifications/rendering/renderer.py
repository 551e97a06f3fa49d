"""Templates to messages: each mail is written once, in Markdown, and sent as text and as HTML.

    <templates>/<kind>/nl.md, en.md            {% block subject %} and {% block body %}
    <templates>/<kind>/nl.sms.txt, en.sms.txt  a text message

In the text part a value stands as it is and nothing of the Markdown is left; in the HTML part
it is escaped (see markdown.py). Filters:
`money` (cents), `day`, `moment` and `moment(short=True)` (Dutch time), `iban_tail`; `button`
makes a link a button: `{{ page("status") | button("Volg de voortgang") }}`. A value of None writes
nothing. `page("status")`, `page("withdraw")` and `page("sign")` are the customer's and the payer's
pages, signed anew for each mail; `address("/login")` is any other. `{% block audience %}` says for
whom a mail is, when not for a customer: `payer`, `office` or `king`; the footer follows from it.
A text message that is too long is written once more with `brief`, without what can be missed.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    select_autoescape,
)
from markupsafe import Markup

from shared.links import PageLinks
from shared.notifications.rendering import gsm7, template_files
from shared.notifications.rendering.environment import PART, Part, environment, printable
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.rendering.links import MailLinks
from shared.notifications.rendering.markdown import Placeholders, inline_html
from shared.notifications.rendering.template_files import LANGUAGES, MAIL_SUFFIX, SMS_SUFFIX
from shared.notifications.senders import Email, OutgoingMessage, Sms

MAIL_BLOCKS = ("subject", "body")
AUDIENCE, CUSTOMER = "audience", "customer"
BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")

OFFICE = ("office", "office_email", "office_phone")
"""What the footer says of the office, where a mail is about a customer of one."""


class TemplatesIncomplete(Exception):
    """A template is missing or cannot be read; the message lists all that are at fault."""


class Renderer:
    """Makes messages from the templates of one service; keeps templates, never what is filled in.

    `pages` makes the addresses that mails lead to; `brand` is shown above each mail.
    """

    def __init__(self, templates: Path, pages: PageLinks, brand: str = "iMUIS Online") -> None:
        self.templates = templates
        self.brand = brand
        self._pages = pages
        self._environment = environment(templates)
        self._layout = Environment(
            loader=FileSystemLoader(template_files.LAYOUT_FOLDER),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, job: RenderJob, now: datetime) -> OutgoingMessage:
        """The message that a job describes, with links that are good from now on.

        Raises:
            jinja2.TemplateError: there is no such template, or it asks for what is not given.
            gsm7.TextTooLong: a text message does not fit into one part, however brief.
        """
        links = MailLinks(self._pages, job.about, now)
        return self._sms(job, links) if job.channel == "sms" else self._email(job, links)

    def _email(self, job: RenderJob, links: MailLinks) -> Email:
        template = self._environment.get_template(f"{job.kind}/{job.language}{MAIL_SUFFIX}")
        values = Placeholders()
        body = _blocks(template, job, Part(job.language, links, values))("body")
        plain = _blocks(template, job, Part(job.language, links))
        subject = " ".join(plain("subject").split())
        audience = plain(AUDIENCE) if AUDIENCE in template.blocks else CUSTOMER
        footer = self._footer(job, audience)
        return Email(
            to=job.to,
            subject=subject,
            text=f"{values.to_text(body)}\n\n-- \n{footer}\n",
            html=self._page(job, subject, values.to_html(body), footer, audience),
            language=job.language,
            reply_to=job.reply_to,
            attachments=tuple(document.attachment() for document in job.attachments),
            message_key=job.message_key,
            kind=job.kind,
        )

    def _sms(self, job: RenderJob, links: MailLinks) -> Sms:
        template = self._environment.get_template(f"{job.kind}/{job.language}{SMS_SUFFIX}")

        def text(*, brief: bool) -> str:
            values = {"onboarding_id": job.about, **job.params, "brief": brief}
            filled = template.render({**values, PART: Part(job.language, links)})
            return gsm7.fit(_without_margins(filled))

        try:
            fitting = text(brief=False)
        except gsm7.TextTooLong:
            fitting = text(brief=True)
        return Sms(job.to, fitting, job.message_key, job.kind)

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

    def _footer(self, job: RenderJob, audience: str) -> str:
        """Why somebody gets this mail, and whom they can ask."""
        template = self._layout.get_template(f"footer.{job.language}.txt")
        office = {name: printable(job.params.get(name)) for name in OFFICE}
        return template.render(brand=self.brand, audience=audience, **office).strip()

    def _page(self, job: RenderJob, subject: str, body: str, footer: str, audience: str) -> str:
        return self._layout.get_template("layout.html").render(
            language=job.language,
            subject=subject,
            body=Markup(body),  # noqa: S704 - every value in it was escaped by Placeholders.
            footer=Markup(inline_html(footer)),  # noqa: S704 - it escapes.
            brand=self.brand,
            office=printable(job.params.get("office")) if audience != "office" else "",
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


def _blocks(template: Template, job: RenderJob, part: Part) -> Callable[[str], str]:
    """The blocks of a template by their name, filled in with a mail's values in this part of it."""
    context = template.new_context({"onboarding_id": job.about, **job.params, PART: part})
    return lambda name: _without_margins("".join(template.blocks[name](context)))


def _without_margins(text: str) -> str:
    """What conditions leave behind, blank lines and margins, is no part of the message."""
    return BLANK_LINES.sub("\n\n", text).strip()
