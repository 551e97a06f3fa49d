"""What a customer will be sent with their login details, with dots where the password comes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.activation.mails import CREDENTIALS, credentials
from services.activation.models import Activation
from shared.base.words import Words
from shared.host.settings import Settings
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.senders.outgoing import Email

if TYPE_CHECKING:
    from shared.notifications.rendering.renderer import Renderer

TEMPLATES = Path(__file__).parents[1] / "templates"
DOTS = "....-....-....-...."
"""In place of the password, which is made while it is sent."""
NO_NAME_YET = Words("(wordt nu bepaald)", "(chosen now)")
"""In place of a login name that is given with the first sending."""


@dataclass(frozen=True)
class Preview:
    """The message as text; a text message has no subject."""

    subject: str
    text: str

    @property
    def paragraphs(self) -> list[list[str]]:
        """The lines of each paragraph."""
        return [paragraph.splitlines() for paragraph in self.text.strip().split("\n\n")]


def preview(
    activation: Activation, channel: str, settings: Settings, now: datetime
) -> Preview | None:
    """The message that would go by this channel; None where none can."""
    signup = activation.signup
    to = activation.mobile if channel == "sms" else activation.email
    if signup is None or not to:
        return None
    mail = credentials(activation, signup, channel, to, activation.attempt + 1)
    params: dict[str, Any] = {
        **mail.params,
        "login_name": activation.login_name or NO_NAME_YET.in_(mail.language),
        "password": DOTS,
        "expires_at": now + timedelta(hours=settings.credentials_hours),
    }
    about = activation.onboarding_id
    job = RenderJob(CREDENTIALS, channel, mail.language, params, to, "preview", about)
    message = _renderer(settings).render(job, now)
    return Preview(message.subject if isinstance(message, Email) else "", message.text)


@cache
def _renderer(settings: Settings) -> "Renderer":
    from shared.notifications.rendering.renderer import Renderer

    return Renderer(TEMPLATES, settings.page_links())
