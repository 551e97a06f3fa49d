"""What a mail may need beyond its template: an attachment, a secret, a word once it has left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import Session

from shared.notifications.queue import REPLY_TO
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.tables import Notification
from shared.processing import Effect, Now

if TYPE_CHECKING:
    from shared.notifications.rendering.renderer import Renderer

Describe = Callable[[Session, Notification], RenderJob | None]
ReadTogether = Callable[[Session, Sequence[Notification]], Describe]
Compose = Callable[[Session, Notification, "Renderer", Now], OutgoingMessage | None]
Sent = Callable[[Session, Notification, OutgoingMessage, Now], Sequence[Effect]]
Failed = Callable[[Session, Notification, Now], Sequence[Effect]]


def describe(_session: Session, notification: Notification) -> RenderJob:
    """The template of this kind, in the recipient's language."""
    return RenderJob(
        kind=notification.kind,
        channel=notification.channel,
        language=notification.language,
        params=notification.params,
        to=notification.recipient,
        message_key=notification.id,
        about=notification.onboarding_id,
        reply_to=notification.params.get(REPLY_TO),
    )


def say_nothing(*_: object) -> Sequence[Effect]:
    """The default: that a mail has left, or could not, is nobody else's concern."""
    return ()


@dataclass(frozen=True)
class NotificationKind:
    """How one kind of mail is made, and what is said when it has left or has failed for good.

    `describe` only reads, and says what the mail is made of; it is rendered afterwards. One with a
    secret has a `compose` instead: it runs in a transaction of its own that commits before the
    mail is handed over, and again for each try. Both return None when the mail is no longer
    wanted, and raise what makes it fail: a `Reject` or a `Conflict` at once, in its own words;
    anything else is tried again.

    One that needs rows to be described has `read_together` in place of `describe`: it reads at
    once what all the mails of a batch need, and returns the `describe` that goes by it.

    `sent` and `failed` run with the mark. What they raise makes the mail fail as well: it has been
    tried, and is not sent again because the rest went wrong.
    """

    describe: Describe = describe
    read_together: ReadTogether | None = None
    compose: Compose | None = None
    sent: Sent = say_nothing
    failed: Failed = say_nothing
