"""The users of a broker with the file of `stappenplan topology definitions`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import pika  # noqa: TID251  A foreign client, to try what no service does.
from pika.exceptions import ChannelClosedByBroker  # noqa: TID251

from infra.buses import exchange_of_user
from infra.composition import KING, service_names

OFFICES = ("0042", "0077")
WEBSITES = tuple(f"website-{office}" for office in OFFICES)
SERVICES = tuple(service_names())
USERS = (*SERVICES, KING.name, *WEBSITES)
OWN_EXCHANGES = {user: exchange_of_user(user) for user in (KING.name, *WEBSITES)}
"""Where outside speakers speak, and nowhere else."""
QUEUES = tuple(f"{user}{kind}" for user in (*SERVICES, KING.name) for kind in ("", ".dead"))
REFUSED = 403


@dataclass
class Broker:
    """A virtual host that has imported the file, the passwords of its users, and the file."""

    vhost: str
    passwords: dict[str, str]
    definitions: Mapping[str, Any]

    def url(self, user: str) -> str:
        """The address under one user's name."""
        parts = urlsplit(self.vhost)
        netloc = f"{user}:{quote(self.passwords[user], safe='')}@{parts.hostname}:{parts.port}"
        return urlunsplit(parts._replace(netloc=netloc))

    def url_of_each(self, user: str) -> str:
        """The same, as a setting that says that everybody has a user of their own."""
        return self.url(user).replace(f"//{user}:", "//{service}:")

    def refuses(self, user: str, work: Callable[[Any], object]) -> bool:
        """Whether the broker refuses this user to do that, for want of the right to."""
        connection = pika.BlockingConnection(pika.URLParameters(self.url(user)))
        channel = connection.channel()
        channel.confirm_delivery()
        try:
            work(channel)
        except ChannelClosedByBroker as refusal:
            if refusal.reply_code == REFUSED:
                return True
            raise
        finally:
            connection.close()
        return False
