"""RabbitMQ's management interface, for what AMQP cannot do: see bindings, make users and limits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

from shared.base.addresses import read_address
from shared.base.errors import StappenplanError
from shared.messaging.addresses import MANAGEMENT_FORM, read_broker_url
from shared.messaging.topology.definitions import access, password_hash
from shared.messaging.topology.speakers import Binding
from shared.messaging.topology.topology import ADMIN, Topology


class ManagementUnavailable(StappenplanError):
    """The management interface cannot be reached, or does not answer this user."""


class Management:
    """The management interface at `url`, which has user and password, for one virtual host.

    The virtual host is that of `broker_url`. Every method raises `ManagementUnavailable` when it
    is not answered as hoped; the text says what to check, and never the password.
    """

    def __init__(self, url: str, broker_url: str) -> None:
        address = read_address(url, ("http", "https"), MANAGEMENT_FORM)
        brokers = read_broker_url(broker_url)
        self.vhost = unquote(brokers[0].path.removeprefix("/")) if brokers else ""
        self.vhost = self.vhost or "/"
        self._user = (address.user, address.password or "")
        # Without user and password: httpx would put the address in its errors.
        self._address = f"{replace(address, port=address.port or 15672).origin}/api"

    def bindings(self) -> set[Binding]:
        """The bindings of queues that there are."""
        rows = self._call("GET", f"/bindings/{quote(self.vhost, safe='')}")
        return {
            Binding(row["source"], row["destination"], row["routing_key"])
            for row in rows
            if row["destination_type"] == "queue"
        }

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """All of a kind in this virtual host, such as its `queues`, as the broker tells them."""
        rows: list[dict[str, Any]] = self._call("GET", f"/{kind}/{quote(self.vhost, safe='')}")
        return rows

    def in_vhost(self, kind: str) -> list[dict[str, Any]]:
        """The same for those that it lists the other way round, such as the `permissions`."""
        vhost = quote(self.vhost, safe="")
        rows: list[dict[str, Any]] = self._call("GET", f"/vhosts/{vhost}/{kind}")
        return rows

    def user_limits(self) -> dict[str, dict[str, int]]:
        """How much each user may have open at once, where that is limited."""
        return {row["user"]: row["value"] for row in self._call("GET", "/user-limits")}

    def missing(self, users: Sequence[str]) -> list[str]:
        """Those of the users whom the broker does not have.

        The administrator is left out: whoever applies a topology has one already.
        """
        present = self._users()
        return [name for name in users if name not in present and name != ADMIN]

    def grant(self, topology: Topology, users: Sequence[str], passwords: Mapping[str, str]) -> None:
        """Make these users of a topology, their permissions, and the limits of all.

        Whoever is there already keeps their password, in whichever way the broker hashed it, and
        their tags; `passwords` are those of the others.
        """
        present = self._users()
        wanted = [name for name in users if name != ADMIN]
        hashes = {
            name: "" if name in present else password_hash(passwords[name]) for name in wanted
        }
        document = access(topology, hashes, vhost=self.vhost)
        document["users"] = [row | present.get(row["name"], {}) for row in document["users"]]
        for part in ("permissions", "topic_permissions"):
            document[part] = [row for row in document[part] if row["user"] in wanted]
        self._call("POST", "/definitions", document)

    def _users(self) -> dict[str, dict[str, Any]]:
        """Who is there, with the password as RabbitMQ keeps it, and their tags."""
        kept = ("password_hash", "hashing_algorithm", "tags")
        rows = self._call("GET", "/users")
        return {row["name"]: {part: row[part] for part in kept if part in row} for row in rows}

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        import httpx

        try:
            answer = httpx.request(
                method, self._address + path, auth=self._user, json=body, timeout=10
            )
            answer.raise_for_status()
            return answer.json() if answer.content else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ManagementUnavailable(
                f"STAPPENPLAN_MANAGEMENT_URL does not answer as RabbitMQ's management does: {error}"
            ) from None
