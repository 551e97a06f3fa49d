"""Asks RabbitMQ's management interface for what AMQP cannot tell: which bindings there are."""

from urllib.parse import quote, unquote, urlsplit

from shared.base.errors import StappenplanError
from shared.messaging.bus import EXCHANGE
from shared.messaging.topology.topology import Topology


class ManagementUnavailable(StappenplanError):
    """The management interface cannot be reached, or does not answer this user."""


def missing_bindings(topology: Topology, url: str, broker_url: str) -> list[tuple[str, str]]:
    """The bindings, as (queue, event type), that the broker does not have.

    `url` has the user and password; the virtual host is that of `broker_url`.

    Raises:
        ManagementUnavailable: it did not answer as hoped; the text says what to check, and
            never the password.
    """
    import httpx

    parts = urlsplit(url)
    vhost = unquote(urlsplit(broker_url.split(",", maxsplit=1)[0]).path.removeprefix("/")) or "/"
    user = (unquote(parts.username or ""), unquote(parts.password or ""))
    # Without user and password: httpx would put the address in its errors.
    address = f"{parts.scheme}://{parts.hostname}:{parts.port or 15672}"
    path = f"/api/exchanges/{quote(vhost, safe='')}/{quote(EXCHANGE)}/bindings/source"
    try:
        response = httpx.get(address + path, auth=user, timeout=10)
        response.raise_for_status()
        existing = {(row["destination"], row["routing_key"]) for row in response.json()}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise ManagementUnavailable(
            f"STAPPENPLAN_MANAGEMENT_URL does not answer as RabbitMQ's management does: {error}"
        ) from None
    return [binding for binding in topology.bindings() if binding not in existing]
