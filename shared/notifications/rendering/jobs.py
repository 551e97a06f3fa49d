"""What a message is made of, as plain data: so that another process can render it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from shared.notifications.senders import Attachment, OutgoingMessage

if TYPE_CHECKING:
    from shared.notifications.rendering.renderer import Renderer


class AttachmentJob(Protocol):
    """A document that is yet to be made; it can be pickled, and so can all it consists of."""

    def attachment(self) -> Attachment:
        """The document, made now."""


@dataclass(frozen=True, slots=True)
class RenderJob:
    """A message before it is rendered. It holds no secret: it may travel to another process."""

    kind: str
    channel: str
    language: str
    params: Mapping[str, Any]
    to: str
    message_key: str
    attachments: tuple[AttachmentJob, ...] = ()


class RenderingFailed(Exception):
    """A message could not be rendered; the text says why."""


Rendered = OutgoingMessage | RenderingFailed


def render(job: RenderJob, renderer: "Renderer", mail_from: str) -> OutgoingMessage:
    """Fill the template, make the documents, and put a mail into the form in which it travels.

    Raises:
        jinja2.TemplateError: there is no such template, or it asks for what is not given.
        gsm7.TextTooLong: a text message does not fit.
    """
    template = job.kind, job.language, job.params
    if job.channel == "sms":
        return renderer.render_sms(*template, to=job.to, message_key=job.message_key)
    email = renderer.render_email(
        *template,
        to=job.to,
        message_key=job.message_key,
        attachments=[document.attachment() for document in job.attachments],
    )
    try:
        wire = email.mime(mail_from, datetime.now(UTC)).as_bytes()
    except ValueError:
        return email  # The sender meets the same address, and refuses it.
    return replace(email, wire=wire)


def render_or_failure(job: RenderJob, renderer: "Renderer", mail_from: str) -> Rendered:
    """The message, or the reason that there is none; nothing that a job does raises."""
    try:
        return render(job, renderer, mail_from)
    except Exception as error:
        return RenderingFailed(f"{type(error).__name__}: {error}")
