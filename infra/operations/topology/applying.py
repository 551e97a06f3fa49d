"""Makes on a running broker what the topology says: over AMQP, and by its management interface."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote

from infra.composition import topology
from infra.operations.topology.passwords import keep_passwords, read_passwords
from infra.operations.topology.present import missing_from_broker, offices_in_database
from shared.host.settings import Settings
from shared.messaging.bus import BusDown
from shared.messaging.topology import ADMIN, Topology, new_passwords, website_exchange, website_user
from shared.messaging.topology.declare import TopologyConflict
from shared.messaging.topology.declare import apply as declare
from shared.messaging.topology.management import Management


def make_all(settings: Settings, offices: Sequence[str], passwords: str) -> Iterator[str]:
    """Make everything, for the offices named and those in signup's database; yields what is done.

    Raises:
        BusDown: the broker cannot be reached, or refused the user.
        TopologyConflict: something exists that is declared otherwise, or the user may not.
        ManagementUnavailable: the management interface does not answer.
        BadPasswords: their file cannot be read or written.
    """
    present = offices_in_database(settings)
    wanted = topology(settings).with_offices([*(present or ()), *offices])
    declare(wanted, settings.broker_url_of(ADMIN))
    yield "exchanges, queues and bindings are there"
    yield _about_websites(wanted.offices, schema=present is not None)
    yield from _make_users(settings, wanted, passwords, wanted.users())


def make_office(settings: Settings, office: str, passwords: str) -> Iterator[str]:
    """Make what one more office needs; yields what is done.

    Raises:
        As `make_all`.
    """
    wanted = topology(settings)
    own = wanted.of_website(office)
    try:
        # No more than that: what else is missing is for the doctor to name.
        declare(own, settings.broker_url_of(ADMIN))
    except (TopologyConflict, BusDown):
        # Whoever may not declare may still find it there, as the administrator made it.
        if not _is_there(own, settings):
            raise
    yield f"its website publishes to {website_exchange(office)}"
    users = [website_user(office)]
    yield from _make_users(settings, wanted.with_offices([office]), passwords, users)


def _is_there(wanted: Topology, settings: Settings) -> bool:
    try:
        return not missing_from_broker(wanted, settings)
    except BusDown:
        return False


def _about_websites(offices: Sequence[str], *, schema: bool) -> str:
    if offices:
        return f"with an exchange for the website of office {', '.join(offices)}"
    if schema:
        return "for no office's website: there is no office yet"
    return "for no office's website: signup's database is not there yet, and none was named"


def _make_users(
    settings: Settings, wanted: Topology, passwords: str, users: Sequence[str]
) -> Iterator[str]:
    """What AMQP cannot make: through the management interface, or said to be imported."""
    if not settings.management_url:
        words = "".join(f" --office {quote(office)}" for office in wanted.offices)
        yield (
            "users, permissions and limits are made elsewhere: have RabbitMQ import what "
            f"`stappenplan topology definitions{words}` prints, with --passwords and the file that "
            "keeps the passwords of now (without it everybody gets another, which nobody knows), "
            "or set STAPPENPLAN_MANAGEMENT_URL"
        )
        return
    management = Management(settings.management_url, settings.broker_url)
    file = Path(passwords) if passwords else None
    before = read_passwords(file) if file else {}
    fresh = new_passwords(wanted) | before
    news = {user: fresh[user] for user in management.missing(users)}
    yield from _tell(news, file, before)
    management.grant(wanted, users, news)
    yield "users, permissions and limits are there"


def _tell(news: Mapping[str, str], file: Path | None, before: Mapping[str, str]) -> Iterator[str]:
    """Keep or say new passwords, before any user has one: nobody else will ever know them."""
    if file and news:
        keep_passwords(file, {**before, **news})
        yield f"the passwords of {', '.join(news)} are in {file}"
    elif news:
        yield "new passwords, which are not told again:"
        yield from (f"  {user}  {password}" for user, password in news.items())
