"""What a letter is made of, as plain data: so that another process can write it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from shared.notifications.letters import Attachment, Letter

if TYPE_CHECKING:
    from shared.notifications.rendering import Renderer


class Enclosure(Protocol):
    """A document that is yet to be made; it can be pickled, and so can all it consists of."""

    def attachment(self) -> Attachment:
        """Make it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter before it is written. It holds no secret: it may travel to another process."""

    kind: str
    channel: str
    language: str
    params: Mapping[str, Any]
    to: str
    message_key: str
    enclosures: tuple[Enclosure, ...] = ()


class WritingFailed(Exception):
    """A letter could not be written; the message says why."""


Written = Letter | WritingFailed


def write(draft: Draft, renderer: "Renderer", mail_from: str) -> Letter:
    """Fill the template, make the documents, and put a mail into the form in which it travels.

    Raises:
        jinja2.TemplateError: there is no such template, or it asks for what is not given.
        gsm7.TextTooLong: a text message does not fit.
    """
    known = draft.kind, draft.language, draft.params
    if draft.channel == "sms":
        return renderer.render_sms(*known, to=draft.to, message_key=draft.message_key)
    letter = renderer.render_email(
        *known,
        to=draft.to,
        message_key=draft.message_key,
        attachments=[one.attachment() for one in draft.enclosures],
    )
    try:
        wire = letter.mime(mail_from, datetime.now(UTC)).as_bytes()
    except ValueError:
        return letter  # The sender meets the same address, and refuses it.
    return replace(letter, wire=wire)


def write_or_say_why(draft: Draft, renderer: "Renderer", mail_from: str) -> Written:
    """One letter, or the reason that there is none."""
    try:
        return write(draft, renderer, mail_from)
    except Exception as error:
        return WritingFailed(f"{type(error).__name__}: {error}")
