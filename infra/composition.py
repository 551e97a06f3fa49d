"""The whole system wired on one page: which services there are, and how each is put to work."""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import services
from shared.base.errors import WrongSettings
from shared.events import KING_HEARS, KING_QUEUE
from shared.host.service import Service
from shared.host.settings import Settings
from shared.messaging.topology.speakers import own_exchange, website_exchange, website_user
from shared.messaging.topology.topology import ADMIN, Listener, Topology
from shared.notifications.senders import Senders, make_senders
from shared.processing.decoding import Decoder, Publisher, PublisherRules

if TYPE_CHECKING:
    from shared.web.pages import NavigationEntry

KING = Listener(KING_QUEUE, hears=KING_HEARS, says=("collection.result.v1",), outside=True)

WEBSITE_SAYS = ("signup.submitted.v1",)
"""What the offices' websites may publish; they hear nothing."""

OUTSIDE = {
    "website": Publisher(
        "/website/",
        lambda data: website_user(str(data.get("office_code"))),
        lambda data: website_exchange(str(data.get("office_code"))),
    ),
    KING_QUEUE: Publisher(
        "/king-billing", lambda _data: KING_QUEUE, lambda _data: own_exchange(KING_QUEUE)
    ),
}
"""By what the speakers that are no services are known: an office's website by its office."""


OPERATION_SCOPES = {
    "dead-letters:manage": "see, retry and drop messages that failed for good (operators of KING)",
    "events:emit": "emit events of outside systems (embedded default only)",
}
"""What only those who run the product may do; the rest is told by the services."""


def service_names() -> list[str]:
    """Every folder under `services` is a service; a fifth one is found without being named."""
    return sorted(module.name for module in pkgutil.iter_modules(services.__path__))


def build_service(name: str, settings: Settings) -> Service:
    """One service, not yet running."""
    service: Service = importlib.import_module(f"services.{name}.service").build(settings)
    return service


def navigation(settings: Settings) -> list["NavigationEntry"]:
    """The menu of the pages: every service's own part of it, and what operators have of all."""
    from shared.base.words import Words
    from shared.web.pages import NavigationEntry

    own = [service.navigation for service in build_services(settings)]
    operations = NavigationEntry(
        "/operations", Words("Beheer", "Operations"), "dead-letters:manage"
    )
    return [*(entry for entries in own for entry in entries), operations]


def publisher_rules(settings: Settings) -> PublisherRules:
    """Who may say which event, and whether the broker must vouch for it."""
    return PublisherRules(OUTSIDE, strict=settings.strict_publishers, administrator=ADMIN)


def decoder(settings: Settings, name: str) -> Decoder:
    """Decodes messages just as that service does when it runs."""
    service = build_service(name, settings)
    return Decoder(name, service.subscriptions, publisher_rules(settings))


def build_services(settings: Settings, names: Sequence[str] = ()) -> list[Service]:
    """The named services, or all of them."""
    return [build_service(name, settings) for name in names or service_names()]


def database_addresses(settings: Settings, names: Sequence[str] = ()) -> dict[str, str]:
    """Where the database of each of the named services is, or of all of them.

    Raises:
        WrongSettings: several of them would share one, and take each other's messages for theirs.
    """
    addresses = {name: settings.database_url_of(name) for name in names or service_names()}
    if len(set(addresses.values())) < len(addresses):
        raise WrongSettings(
            f"STAPPENPLAN_DATABASE_URL leads {', '.join(addresses)} to one database, and each has "
            "tables of its own: write {service} where the name of the database stands, as in "
            "postgresql+psycopg://…/stappenplan_{service}"
        )
    return addresses


def scopes(settings: Settings) -> Mapping[str, str]:
    """All that a token may allow, each with a sentence.

    Raises:
        ValueError: two of them claim the same scope.
    """
    merged: dict[str, str] = {}
    of_services = [service.scopes for service in build_services(settings)]
    for part in (*of_services, OPERATION_SCOPES):
        if twice := sorted(merged.keys() & part.keys()):
            raise ValueError(f"claimed twice: the scope {', '.join(twice)}")
        merged |= part
    return merged


def topology(settings: Settings) -> Topology:
    """Every queue and binding, derived from what the services subscribe to; of no office yet."""
    listeners = [
        Listener(service.name, hears=service.hears, says=service.says)
        for service in build_services(settings)
    ]
    return Topology(
        (*listeners, KING), website_says=WEBSITE_SAYS, strict=settings.strict_publishers
    )


def senders(settings: Settings) -> Senders:
    """The ways out for mails and texts, as set."""
    return make_senders(
        mail=settings.mail,
        sms=settings.sms,
        data_dir=settings.data_dir,
        mail_from=settings.mail_from,
        sms_sender=settings.sms_sender,
        ses_configuration_set=settings.ses_configuration_set or None,
        smtp_url=settings.smtp_url,
    )
