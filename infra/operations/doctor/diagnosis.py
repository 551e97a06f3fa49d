"""What the doctor looks at: each check finds something, and knows what to do about it."""

from collections.abc import Callable, Iterator

from sqlalchemy.exc import SQLAlchemyError

from infra.operations.doctor.broker_checks import broker
from infra.operations.doctor.connection_check import connections
from infra.operations.doctor.database_checks import databases, delivery
from infra.operations.doctor.finding import Finding
from infra.operations.doctor.folder_check import folder
from infra.operations.doctor.policy_check import policies
from infra.operations.doctor.rights_check import consumers, rights
from infra.operations.doctor.sending_checks import mail, templates, texts
from infra.operations.doctor.session_checks import sessions
from infra.operations.doctor.token_checks import token_key, tokens
from shared.base.errors import StappenplanError
from shared.host.settings import Settings

Check = Callable[[Settings], Iterator[Finding]]


def catalogue(settings: Settings) -> Iterator[Finding]:
    """The catalogue, with the packages in it."""
    from shared.trade.catalogue import Catalogue

    packages = ", ".join(Catalogue.load(settings.catalogue).package_codes)
    yield Finding("catalogue", True, f"{settings.catalogue.name}: {packages}")


CHECKS: tuple[Check, ...] = (
    catalogue, broker, policies, rights, consumers, databases, sessions, connections, delivery,
    templates, mail, texts, token_key, tokens, folder,
)  # fmt: skip


def diagnose(settings: Settings) -> list[Finding]:
    """Run every check; one that breaks is a finding too."""
    return [finding for check in CHECKS for finding in _run(check, settings)]


def _run(check: Check, settings: Settings) -> list[Finding]:
    try:
        return list(check(settings))
    except (StappenplanError, SQLAlchemyError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        return [Finding(check.__name__.replace("_", " "), False, reason, "correct it, look again")]
