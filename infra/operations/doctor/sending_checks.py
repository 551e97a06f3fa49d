"""Whether mails and text messages can be written and sent."""

import os
from collections.abc import Iterator
from pathlib import Path

from infra.composition import build_services
from infra.operations.doctor.finding import Finding
from shared.host.service import Service
from shared.host.settings import Settings

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
        Renderer(service.templates).check(sorted(kinds))
    except TemplatesIncomplete as incomplete:
        yield str(incomplete)


def mail(settings: Settings) -> Iterator[Finding]:
    """Where mails go."""
    if settings.mail == "file":
        yield _folder("mail", settings.data_dir / "mail")
    else:
        yield _aws("mail", "SES", settings.mail_from)


def texts(settings: Settings) -> Iterator[Finding]:
    """Where text messages go."""
    if settings.sms == "file":
        yield _folder("sms", settings.data_dir / "sms")
    else:
        yield _aws("sms", "SNS", settings.sms_sender)


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
