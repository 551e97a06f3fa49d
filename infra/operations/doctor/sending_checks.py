"""Whether mails and text messages can be written and sent."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from infra.composition import build_service, build_services
from infra.operations.doctor.finding import Finding
from shared.host.service import Service
from shared.host.settings import Settings
from shared.links import PageLinks
from shared.notifications.rendering.template_files import LANGUAGES

NO_PAGES = PageLinks("", [""])
"""Where templates are only looked at, they lead nowhere."""
QUICK_SECONDS = 5
LONGEST_NAME = "m" * 24
"""As long as a login name can be."""
LONGEST_DAY = datetime(2026, 9, 30, 12, tzinfo=UTC)
"""`30 Sept 14:00`: no moment takes more of a text message."""
REINSTALL = "install Stappenplan again: this installation is not complete"


def templates(settings: Settings) -> Iterator[Finding]:
    """Each service's templates: all there, in every language, and readable."""
    faults = [fault for service in build_services(settings) for fault in _faults(service)]
    good = "every mail and text message is there, in every language"
    yield Finding("templates", not faults, "; ".join(faults) or good, REINSTALL)


def _faults(service: Service) -> Iterator[str]:
    from shared.notifications.rendering.renderer import Renderer, TemplatesIncomplete
    from shared.notifications.rendering.template_files import missing_templates, suffixes

    kinds = set(service.notification_kinds)
    missing = missing_templates(service.templates, sorted(kinds))
    if missing:
        yield f"{service.name}: {'; '.join(missing)}"
        return
    kinds |= {folder.name for folder in service.templates.glob("*") if suffixes(folder)}
    try:
        Renderer(service.templates, NO_PAGES).check(sorted(kinds))
    except TemplatesIncomplete as incomplete:
        yield str(incomplete)


def mail(settings: Settings) -> Iterator[Finding]:
    """Where mails go."""
    if settings.mail == "file":
        yield _folder("mail", settings.data_dir / "mail")
    elif settings.mail == "smtp":
        yield _smtp(settings)
    else:
        yield _aws("mail", "SES", settings.mail_from)


def texts(settings: Settings) -> Iterator[Finding]:
    """Where text messages go."""
    if settings.sms == "file":
        yield _folder("sms", settings.data_dir / "sms")
    else:
        yield _aws("sms", "SNS", settings.sms_sender)
    yield _credentials_fit(settings)


def _credentials_fit(settings: Settings) -> Finding:
    """Whether a text message has room for the address at which to log in."""
    from shared.notifications.rendering.gsm7 import TextTooLong
    from shared.notifications.rendering.jobs import RenderJob
    from shared.notifications.rendering.renderer import Renderer

    params = {"login_name": LONGEST_NAME, "password": "x" * 19, "expires_at": LONGEST_DAY}
    pages = PageLinks(settings.base_url, [""])
    renderer = Renderer(build_service("activation", settings).templates, pages)
    try:
        for language in LANGUAGES:
            job = RenderJob("credentials", "sms", language, params, to="", message_key="")
            renderer.render(job, LONGEST_DAY)
    except TextTooLong:
        finding = f"{settings.base_url}/login is too long for a text message with credentials"
        return Finding("sms", False, finding, "set STAPPENPLAN_PUBLIC_URL to a shorter address")
    return Finding("sms", True, f"credentials fit one text message, with {settings.base_url}/login")


def _smtp(settings: Settings) -> Finding:
    """Whether the mail server takes us, and whether what we tell it is safe on the way."""
    from shared.notifications.senders.protocol import ProviderUnavailable
    from shared.notifications.senders.smtp import connection
    from shared.notifications.senders.smtp_url import read_smtp_url

    server = read_smtp_url(settings.smtp_url)
    try:
        with connection(server, QUICK_SECONDS):
            pass  # That it took us is all that is asked; nothing is sent.
    except ProviderUnavailable as error:
        return Finding("mail", False, str(error), "correct STAPPENPLAN_SMTP_URL, or start it")
    in_clear = bool(server.user) and not (server.tls or server.starttls)
    advice = "leave ?starttls=no out, unless the way to the server is safe" if in_clear else ""
    said = f"{server.name} as {settings.mail_from}{', password in clear' if in_clear else ''}"
    return Finding("mail", True, said, advice, warning=in_clear)


def _folder(check: str, folder: Path) -> Finding:
    parent = folder
    while not parent.exists():
        parent = parent.parent
    if os.access(parent, os.W_OK):
        return Finding(check, True, f"written to {folder}")
    return Finding(check, False, f"{parent} cannot be written", "set STAPPENPLAN_DATA_DIR")


def _aws(check: str, service: str, sender: str) -> Finding:
    import botocore.session

    session = botocore.session.get_session()
    if session.get_config_variable("region") is None:
        return Finding(check, False, f"{service}: no region is set", "set AWS_DEFAULT_REGION")
    if session.get_credentials() is None:
        return Finding(check, False, f"{service}: no credentials", "set up AWS credentials")
    return Finding(check, True, f"{service} as {sender}")
