"""A RabbitMQ of the tests' own."""

import os
import secrets
import signal
import socket
import subprocess
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from tests.servers.containers import engine_answers
from tests.servers.debian import ensure
from tests.servers.management import Management
from tests.servers.premises import (
    LOOPBACK,
    Guarded,
    Premises,
    ServerError,
    free_ports,
    wait_until,
)

IMAGE = os.environ.get("STAPPENPLAN_TEST_RABBITMQ_IMAGE", "rabbitmq:4-management")
PROGRAMS = Path("/usr/lib/rabbitmq/bin")
"""Debian's own programs; the ones in the search path are wrappers that change the user."""
CONFIG = """\
listeners.tcp.1 = {host}:{port}
management.tcp.ip = {host}
management.tcp.port = {management_port}
default_user = {user}
default_pass = {password}
disk_free_limit.absolute = 10MB
cluster_partition_handling = pause_minority
log.console = true
log.file = false
"""


class RabbitMQ(Protocol):
    """A broker that the tests may do with as they like."""

    url: str
    """The AMQP address of the default virtual host, with an administrator's name and password."""
    management: Management
    """The broker's management interface."""

    def ctl(self, *args: str) -> str:
        """Run rabbitmqctl against this broker and return what it printed."""

    def restart(self) -> None:
        """Stop the broker in an orderly way and start it again at the same address."""

    def kill(self) -> None:
        """End the broker at once, as a power cut would."""

    def start(self) -> None:
        """Start the broker after `kill` and wait until it takes connections."""

    def close(self) -> None:
        """End the broker and remove all it wrote."""


def start_rabbitmq() -> RabbitMQ:
    """The broker named in the environment, else one in a container, else a private node."""
    given = os.environ.get("STAPPENPLAN_TEST_BROKER_URL")
    if given:
        return GivenRabbitMQ(given)
    return ContainerRabbitMQ() if engine_answers() else PrivateRabbitMQ()


class PrivateRabbitMQ:
    """A node from Debian's package, with its own folder, cookie, ports and port mapper (epmd).

    One that is to join the cluster of another, `beside`, shares its cookie, mapper and login.
    """

    def __init__(self, beside: "PrivateRabbitMQ | None" = None) -> None:
        ensure("rabbitmq-server", _server_program)
        self._premises = Premises("rabbitmq", "rabbitmq")
        port, management_port, distribution_port, mapper_port = free_ports(4)
        user, password, cookie = "tests", secrets.token_hex(8), secrets.token_hex(16)
        if beside is not None:
            user, password, cookie, mapper_port = beside.shared
        self.shared: tuple[str, str, str, int] = (user, password, cookie, mapper_port)
        self.url = f"amqp://{user}:{password}@{LOOPBACK}:{port}/%2F"
        self.management = Management(f"http://{LOOPBACK}:{management_port}", user, password)
        self.node = f"stappenplan-{secrets.token_hex(4)}@localhost"
        self._write_files(
            CONFIG.format(
                host=LOOPBACK,
                port=port,
                management_port=management_port,
                user=user,
                password=password,
            ),
            cookie,
        )
        self._env = self._environment(distribution_port, mapper_port)
        self._mapper: subprocess.Popen[bytes] | None = None
        if beside is None:
            mapper = ["epmd", "-port", mapper_port, "-address", LOOPBACK]
            self._mapper = self._premises.start(mapper, {}, signal.SIGKILL)
            wait_until(lambda: _listens(mapper_port), "Erlang's port mapper answers")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def ctl(self, *args: str) -> str:
        """Run rabbitmqctl against this node and return what it printed."""
        command = [PROGRAMS / "rabbitmqctl", "-q", "-n", self.node, *args]
        return self._premises.run(command, self._env)

    @property
    def pid(self) -> int:
        """The process id of the node."""
        assert self._process is not None, "the broker is not running"
        return self._process.pid

    def start(self) -> None:
        """Start the node and wait until it takes connections."""
        self._process = self._premises.start([_server_program()], self._env, signal.SIGKILL)
        self._premises.await_ready(self._process, self.management.answers, "RabbitMQ answers")

    def stop(self) -> None:
        """Stop the node in an orderly way."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the node at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop the node in an orderly way and start it again at the same address."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the node and its port mapper, and remove the folder."""
        if self._process is not None:
            self.kill()
        if self._mapper is not None:
            self._premises.stop(self._mapper, signal.SIGKILL)
        self._premises.close()

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None, "the broker is not running"
        self._premises.stop(self._process, number)
        self._process = None

    def _write_files(self, config: str, cookie: str) -> None:
        write = self._premises.write
        self._config = write("rabbitmq.conf", config)
        self._plugins = write("enabled_plugins", "[rabbitmq_management].\n")
        # Erlang refuses a cookie that others can read.
        write(".erlang.cookie", cookie, mode=0o400)

    def _environment(self, distribution_port: int, mapper_port: int) -> dict[str, str]:
        folder = str(self._premises.folder)
        return {
            "HOME": folder,
            "ERL_EPMD_PORT": str(mapper_port),
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._plugins),
            "RABBITMQ_CONFIG_FILE": str(self._config),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            # So the script becomes the broker, instead of a shell that waits for it: the process
            # that we started is then the one to stop.
            "RUNNING_UNDER_SYSTEMD": "true",
            # Idle schedulers sleep at once: the tests want the processor.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }


class ContainerRabbitMQ:
    """A broker in a container, at fixed ports so that its address survives a restart."""

    def __init__(self) -> None:
        from testcontainers.core.container import DockerContainer

        port, management_port = free_ports(2)
        user, password = "tests", secrets.token_hex(8)
        self._container = (
            DockerContainer(IMAGE)
            .with_env("RABBITMQ_DEFAULT_USER", user)
            .with_env("RABBITMQ_DEFAULT_PASS", password)
            .with_bind_ports(5672, port)
            .with_bind_ports(15672, management_port)
        )
        self._container.start()
        self._guardian = Guarded()
        self._guardian.tell("container", self._container.get_wrapped_container().id)
        host = self._container.get_container_host_ip()
        self.url = f"amqp://{user}:{password}@{host}:{port}/%2F"
        self.management = Management(f"http://{host}:{management_port}", user, password)
        wait_until(self.management.answers, "RabbitMQ answers from its container")

    def ctl(self, *args: str) -> str:
        """Run rabbitmqctl in the container and return what it printed."""
        code, output = self._container.exec(["rabbitmqctl", "-q", *args])
        if code:
            raise ServerError(f"rabbitmqctl failed: {output.decode()}")
        return str(output.decode())

    def restart(self) -> None:
        """Stop the container in an orderly way and start it again at the same address."""
        self._container.get_wrapped_container().stop()
        self.start()

    def kill(self) -> None:
        """End the container at once, as a power cut would."""
        self._container.get_wrapped_container().kill()

    def start(self) -> None:
        """Start the container again and wait until the broker takes connections."""
        self._container.get_wrapped_container().start()
        wait_until(self.management.answers, "RabbitMQ answers from its container")

    def close(self) -> None:
        """Remove the container."""
        self._container.stop()
        self._guardian.close()


class GivenRabbitMQ:
    """A broker that somebody else runs; the tests make virtual hosts in it, and nothing more.

    Its management interface is at STAPPENPLAN_TEST_BROKER_MANAGEMENT_URL, by default on port 15672
    of the same host.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        address = os.environ.get(
            "STAPPENPLAN_TEST_BROKER_MANAGEMENT_URL", f"http://{parts.hostname}:15672"
        )
        self.management = Management(address, parts.username or "guest", parts.password or "guest")
        if not self.management.answers():
            raise ServerError(
                f"The broker of STAPPENPLAN_TEST_BROKER_URL needs its management plugin at "
                f"{address} (or at STAPPENPLAN_TEST_BROKER_MANAGEMENT_URL)."
            )

    def ctl(self, *args: str) -> str:
        """Refuse: this broker is not ours to command."""
        raise ServerError(f"rabbitmqctl {' '.join(args)}: only on a broker that the tests started")

    def restart(self) -> None:
        """Refuse: others may be using this broker."""
        raise ServerError("the tests do not restart a broker that they did not start")

    kill = start = restart

    def close(self) -> None:
        """Leave the broker as it is."""


def _server_program() -> Path | None:
    program = PROGRAMS / "rabbitmq-server"
    return program if program.exists() else None


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
