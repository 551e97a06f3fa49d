"""What a message is made of, as plain data: described in a transaction, rendered outside of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.notifications.senders import Attachment


class AttachmentJob(Protocol):
    """A document that is yet to be made."""

    def attachment(self) -> Attachment:
        """The document, made now."""


@dataclass(frozen=True, slots=True)
class RenderJob:
    """A message before it is rendered. It holds no secret but one that is made for this try.

    `about` is the onboarding whose pages it may lead to.
    """

    kind: str
    channel: str
    language: str
    params: Mapping[str, Any] = field(repr=False)
    to: str
    message_key: str
    about: str = ""
    reply_to: str | None = None
    attachments: tuple[AttachmentJob, ...] = ()
