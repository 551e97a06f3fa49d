"""A renderer whose links are known, and mails as their senders would render them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.composition import build_service
from shared.host.settings import Settings
from shared.links import PageLinks
from shared.notifications.messages import Mail
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.rendering.renderer import Renderer
from shared.notifications.senders import Email, Sms
from shared.processing.testing import MONDAY, onboarding

BASE_URL = "https://stappenplan.example"
KEYS = ["a key of the tests, long enough to be one"]
PAGES = PageLinks(BASE_URL, KEYS)
BAKERY = onboarding("bakkerij")


def renderer(templates: Path, base_url: str = BASE_URL) -> Renderer:
    """A renderer of these templates."""
    return Renderer(templates, PageLinks(base_url, KEYS))


def job(mail: Mail, secrets: Mapping[str, Any] | None = None, **changed: Any) -> RenderJob:
    """What a mail is made of once it is due."""
    values: dict[str, Any] = {
        "kind": mail.kind,
        "channel": mail.channel,
        "language": mail.language,
        "params": {**mail.params, **(secrets or {})},
        "to": mail.to,
        "message_key": "k",
        "about": mail.about or BAKERY,
        "reply_to": mail.reply_to,
    }
    return RenderJob(**values | changed)


def email(service: str, mail: Mail, secrets: Mapping[str, Any] | None = None, **how: Any) -> Email:
    """A mail as it leaves."""
    message = renderer(templates_of(service)).render(job(mail, secrets, **how), MONDAY)
    assert isinstance(message, Email)
    return message


def text_message(
    service: str, mail: Mail, secrets: Mapping[str, Any], base_url: str = BASE_URL, **how: Any
) -> Sms:
    """A text message as it leaves."""
    made = renderer(templates_of(service), base_url).render(job(mail, secrets, **how), MONDAY)
    assert isinstance(made, Sms)
    return made


def templates_of(service: str) -> Path:
    """Where a service's templates are."""
    return build_service(service, Settings()).templates
