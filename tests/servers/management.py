"""RabbitMQ's management interface: makes a virtual host in milliseconds; rabbitmqctl is slow."""

import secrets
from base64 import b64encode
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import httpx


class Management:
    """The HTTP interface of one broker, for its administrator."""

    def __init__(self, address: str, user: str, password: str) -> None:
        self.address = address
        self._user = user
        token = b64encode(f"{user}:{password}".encode()).decode()
        self._http = httpx.Client(
            base_url=address, headers={"Authorization": f"Basic {token}"}, timeout=10
        )

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Do one call below /api; return its JSON, or None; raise httpx.HTTPStatusError."""
        answer = self._http.request(method, f"/api{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def answers(self) -> bool:
        """Whether the broker is up and takes AMQP connections."""
        try:
            answer = self._http.get("/api/health/checks/protocol-listener/amqp")
        except httpx.TransportError:
            return False
        return answer.status_code == HTTPStatus.OK

    def new_vhost(self) -> str:
        """Make a virtual host with a name of its own and the administrator's full rights in it."""
        name = f"test-{secrets.token_hex(6)}"
        self.call("PUT", f"/vhosts/{name}")
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.call("PUT", f"/permissions/{name}/{quote(self._user, safe='')}", everything)
        return name

    def delete_vhost(self, name: str) -> None:
        """Remove a virtual host with all that is in it; its connections are closed."""
        self.call("DELETE", f"/vhosts/{quote(name, safe='')}")


def url_of_vhost(url: str, vhost: str) -> str:
    """The same broker's address, in another virtual host."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(vhost, safe='')}"))
