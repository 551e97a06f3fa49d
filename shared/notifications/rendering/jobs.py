"""What a message is made of, as plain data: described in a transaction, rendered outside of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from shared.notifications.senders import Attachment, OutgoingMessage

if TYPE_CHECKING:
    from shared.notifications.rendering.renderer import Renderer


class AttachmentJob(Protocol):
    """A document that is yet to be made."""

    def attachment(self) -> Attachment:
        """The document, made now."""


@dataclass(frozen=True, slots=True)
class RenderJob:
    """A message before it is rendered. It holds no secret."""

    kind: str
    channel: str
    language: str
    params: Mapping[str, Any]
    to: str
    message_key: str
    attachments: tuple[AttachmentJob, ...] = ()


def render(job: RenderJob, renderer: "Renderer") -> OutgoingMessage:
    """Fill the template and make the documents.

    Raises:
        jinja2.TemplateError: there is no such template, or it asks for what is not given.
        gsm7.TextTooLong: a text message does not fit.
    """
    template = job.kind, job.language, job.params
    if job.channel == "sms":
        return renderer.render_sms(*template, to=job.to, message_key=job.message_key)
    return renderer.render_email(
        *template,
        to=job.to,
        message_key=job.message_key,
        attachments=[document.attachment() for document in job.attachments],
    )
