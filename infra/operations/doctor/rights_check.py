"""Whether services may do at the broker what they must, and nobody else reads their queues."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.composition import service_names, topology
from infra.operations.doctor.finding import Finding
from shared.host.settings import Settings
from shared.messaging.addresses import read_broker_url
from shared.messaging.bus import EXCHANGE
from shared.messaging.topology import Topology, dead_queue, own_exchange
from shared.messaging.topology.management import Management
from shared.messaging.topology.patterns import matches

CONNECTIONS_OF_A_SERVICE = 3
"""It publishes by one, consumes by one, and takes back by one what the broker gave up."""

GRANT = "run `stappenplan topology apply` with STAPPENPLAN_MANAGEMENT_URL set"
RAISE = "raise it (`rabbitmqctl set_vhost_limits`, `set_user_limits`), or take it away"


def rights(settings: Settings) -> Iterator[Finding]:
    """Permissions that were taken away, and limits that are too narrow."""
    if settings.embedded or not settings.management_url:
        return
    wanted = topology(settings)
    management = Management(settings.management_url, settings.broker_url)
    users = {each.name: user_of(settings, each.name) for each in wanted.listeners}
    lacking = [*_lacking(wanted, users, management)]
    yield Finding("rights", not lacking, "; ".join(lacking) or "each may do what they must", GRANT)
    narrow = [*_narrow(wanted, users, management)]
    if narrow:
        yield Finding("limits", False, "; ".join(narrow), RAISE)


def consumers(settings: Settings) -> Iterator[Finding]:
    """Whether somebody else takes what waits for a service: what they acknowledge is gone."""
    if settings.embedded or not settings.management_url:
        return
    management = Management(settings.management_url, settings.broker_url)
    names = {row["name"]: _own_name(row) for row in management.in_vhost("connections")}
    owners = {queue: name for name in service_names() for queue in (name, dead_queue(name))}
    strangers = []
    for row in management.rows("consumers"):
        queue, channel = row["queue"]["name"], row["channel_details"] or {}
        # A connection that is not known is left out: it is told of a little later.
        name = names.get(channel.get("connection_name", ""))
        if name is not None and owners.get(queue, name) != name:
            user, host = channel.get("user", "?"), channel.get("peer_host", "?")
            strangers.append(f"{queue} is read as {user} from {host}")
    if strangers:
        told = f"by no service: {'; '.join(strangers)}"
        yield Finding("consumers", False, told, "end it; then `stappenplan replay SERVICE`")


def _own_name(connection: Mapping[str, Any]) -> str:
    """What a connection calls itself: a service's bear the service's name."""
    return str(connection.get("client_properties", {}).get("connection_name", ""))


def user_of(settings: Settings, service: str) -> str:
    """As whom a service speaks to the broker."""
    return read_broker_url(settings.broker_url_of(service))[0].user or "guest"


def _lacking(wanted: Topology, users: Mapping[str, str], management: Management) -> Iterator[str]:
    """What somebody must do and may not."""
    permissions = {row["user"]: row for row in management.in_vhost("permissions")}
    topics = {
        (row["user"], row["exchange"]): row["write"]
        for row in management.in_vhost("topic-permissions")
    }
    for listener in wanted.listeners:
        user = users[listener.name]
        exchange = own_exchange(listener.name) if listener.outside else EXCHANGE
        may = permissions.get(user)
        if may is None:
            yield f"the user {user} has no permission in this virtual host"
            continue
        for queue in (listener.name, listener.dead):
            if not matches(may["read"], queue):
                yield f"the user {user} may not read the queue {queue}"
        if listener.says and not matches(may["write"], exchange):
            yield f"the user {user} may not write to the exchange {exchange}"
        write = topics.get((user, exchange), "")
        unsaid = [event for event in listener.says if not matches(write, event)]
        if unsaid:
            yield f"the user {user} may not say {', '.join(unsaid)}"


def _narrow(wanted: Topology, users: Mapping[str, str], management: Management) -> Iterator[str]:
    """Limits below what is needed."""
    connections = CONNECTIONS_OF_A_SERVICE * len(service_names())
    needs = {"max-connections": connections, "max-queues": len([*wanted.queues()])}
    for row in management.rows("vhost-limits"):
        yield from _below(needs, row["value"], "of the virtual host")
    limits, services = management.user_limits(), [users[name] for name in service_names()]
    for user in dict.fromkeys(services):
        needed = CONNECTIONS_OF_A_SERVICE * services.count(user)
        needs = {"max-connections": needed, "max-channels": needed}
        yield from _below(needs, limits.get(user, {}), f"of the user {user}")


def _below(needs: Mapping[str, int], limits: Mapping[str, Any], whose: str) -> Iterator[str]:
    for name, needed in needs.items():
        # A negative one is none.
        if 0 <= limits.get(name, -1) < needed:
            yield f"{name} {whose} is {limits[name]}, and {needed} are needed"
