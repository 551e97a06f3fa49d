"""Three RabbitMQ nodes on one machine, in one cluster: quorum queues live on all of them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.management import url_of_vhost
from tests.servers.premises import ServerError, wait_until
from tests.servers.rabbitmq import PrivateRabbitMQ

SIZE = 3
UP_TO_DATE_MS = 60_000
REUNITED = 120.0
"""Seconds in which a node that was parted from the others finds them again."""


class Cluster:
    """Private nodes from Debian's package; the tests may do with each as they like."""

    def __init__(self) -> None:
        self._vhost = "/"
        first = PrivateRabbitMQ()
        self.nodes = [first]
        for _ in range(SIZE - 1):
            node = PrivateRabbitMQ(beside=first)
            self.nodes.append(node)
            node.ctl("stop_app")
            node.ctl("join_cluster", first.node)
            node.ctl("start_app")
            wait_until(node.management.answers, "the node answers in its cluster")

    @property
    def url(self) -> str:
        """The addresses of all nodes, with commas between them."""
        return ",".join(url_of_vhost(node.url, self._vhost) for node in self.nodes)

    def start_afresh(self) -> None:
        """Have a new virtual host, with none of what a test before may have left on its queues."""
        self.await_whole()
        self._vhost = self.nodes[0].management.new_vhost()

    def leader_of(self, queue: str) -> PrivateRabbitMQ:
        """The node that leads a quorum queue now."""
        listed = ("list_queues", "name", "leader", "--no-table-headers")
        for node in self.nodes:
            try:
                listing = node.ctl(*listed, "--vhost", self._vhost)
            except ServerError:
                continue  # This one is down; another one knows.
            leaders = dict(line.split() for line in listing.splitlines() if len(line.split()) == 2)
            return next(node for node in self.nodes if node.node == leaders[queue])
        raise ServerError("no node of the cluster answers")

    def await_quorum(self, node: PrivateRabbitMQ) -> None:
        """Wait until no queue would be lost if one more node went: as before any upgrade."""
        waiting = f"rabbit_upgrade_preparation:await_online_quorum_plus_one({UP_TO_DATE_MS})."
        node.ctl("eval", waiting)

    def await_whole(self) -> None:
        """Wait until every node sees every other one, and may be spared."""
        for node in self.nodes:
            wait_until(lambda: self._sees_all(node), "the cluster is whole", REUNITED)  # noqa: B023
            self.await_quorum(node)

    def _sees_all(self, node: PrivateRabbitMQ) -> bool:
        try:
            seen = node.ctl("eval", "length(rabbit_mnesia:cluster_nodes(running)).")
        except ServerError:
            return False  # It is still on its way back.
        return seen.strip() == str(SIZE)

    @contextmanager
    def suspended(self, node: PrivateRabbitMQ) -> Iterator[None]:
        """Let a node neither hear nor say anything, while all its connections stay open."""
        os.kill(node.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(node.pid, signal.SIGCONT)

    @contextmanager
    def parted(self, node: PrivateRabbitMQ) -> Iterator[None]:
        """Keep a node and the others from hearing each other; their clients still reach them."""
        others = ", ".join(f"'{other.node}'" for other in self.nodes if other is not node)
        # No connection between two nodes outlives this, and none is made whose secret differs.
        node.ctl(
            "eval",
            "[begin erlang:set_cookie(Node, nobodys), erlang:disconnect_node(Node) end"
            f" || Node <- [{others}]].",
        )
        try:
            wait_until(lambda: not node.management.answers(), "the minority steps aside")
            yield
        finally:
            node.ctl(
                "eval", f"[erlang:set_cookie(Node, erlang:get_cookie()) || Node <- [{others}]]."
            )
            wait_until(node.management.answers, "the node is back among the others", REUNITED)

    def close(self) -> None:
        """End every node, the first one, which has the port mapper, last."""
        for node in reversed(self.nodes):
            node.close()
