"""Why a broker cannot be used is said in a sentence: by a service, and by whoever asks for it."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from structlog.testing import capture_logs

from shared.messaging.bus import ALARM, UNREACHABLE, BusDown
from shared.messaging.rabbitmq import RabbitBus, bus, failures
from shared.messaging.topology.declare import missing, takes_nothing
from tests.integration.bus.buses import SOON, TOPOLOGY, RabbitBuses, messages
from tests.integration.bus.foreign import RECOVERED, events, vhost_of
from tests.servers.mail_server import certificate
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ

LOOPBACK = "127.0.0.1"


@pytest.fixture
def pem(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1, which is its own CA; how many days ago it began, a test says."""
    return certificate(tmp_path, timedelta(days=getattr(request, "param", 1)))


@pytest.fixture
def tls_port(rabbitmq: RabbitMQ, pem: Path) -> Iterator[int]:
    """A port on which the broker speaks TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    listening = socket.create_server((LOOPBACK, 0))
    broker = urlsplit(rabbitmq.url)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=join, args=(client,), daemon=True).start()

    def join(client: socket.socket) -> None:
        with suppress(OSError), client:
            inside = context.wrap_socket(client, server_side=True)
            outside = socket.create_connection((broker.hostname, broker.port))
            threading.Thread(target=pump, args=(outside, inside), daemon=True).start()
            pump(inside, outside)

    threading.Thread(target=serve, daemon=True).start()
    yield int(listening.getsockname()[1])
    listening.close()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Hand on what comes until no more does."""
    with suppress(OSError), target:
        while data := source.recv(65536):
            target.sendall(data)


def at(url: str, scheme: str, host: str, port: int, query: str = "") -> str:
    """The broker's address, spoken to in another way."""
    parts = urlsplit(url)
    netloc = f"{parts.username}:{parts.password}@{host}:{port}"
    return urlunsplit((scheme, netloc, parts.path, query, ""))


def reason_of(url: str) -> str:
    """What a service says that cannot connect, and whoever declares or asks; all say the same."""
    service = RabbitBus(url, queue="signup", name="signup")
    with capture_logs() as logs:
        service.open()
        wait_until(lambda: "broker_unreachable" in events(logs), "it was not let in", SOON)
    reason = str(next(line for line in logs if line["event"] == "broker_unreachable")["reason"])
    assert service.trouble() == f"{UNREACHABLE}: {reason}"
    service.close()
    with pytest.raises(BusDown) as refusal:
        missing(TOPOLOGY, url)
    assert str(refusal.value) == f"the broker cannot be reached: {reason}"
    return reason


def test_a_broker_with_a_certificate_of_ones_own_ca_is_taken_by_its_file(
    rabbit: RabbitBuses, tls_port: int, pem: Path
) -> None:
    # Given a broker whose certificate a CA of one's own has signed, named in the address,
    url = at(rabbit.url, "amqps", LOOPBACK, tls_port, f"cacertfile={pem}")
    # When a service connects and the topology is looked at, Then both are let in.
    service = RabbitBus(url, queue="signup", name="signup")
    service.open()
    wait_until(service.healthy, "it is connected", RECOVERED)
    assert service.trouble() == ""
    service.close()
    assert missing(TOPOLOGY, url) == []


def test_the_file_that_the_machine_trusts_is_named_in_the_environment(
    rabbit: RabbitBuses, tls_port: int, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    assert missing(TOPOLOGY, at(rabbit.url, "amqps", LOOPBACK, tls_port)) == []


def test_what_is_wrong_with_tls_is_said_in_a_sentence(
    rabbit: RabbitBuses, tls_port: int, pem: Path
) -> None:
    # Given a broker that speaks TLS on one port and none on the other, When its certificate is
    # signed by nobody who is known, Then it is said how that is made known.
    unknown = at(rabbit.url, "amqps", LOOPBACK, tls_port)
    assert reason_of(unknown) == failures.UNTRUSTED
    # When the address names another host than the certificate, When it is spoken to in the wrong
    # way on either port, Then that is said.
    other = at(rabbit.url, "amqps", "localhost", tls_port, f"cacertfile={pem}")
    assert reason_of(other) == failures.OTHER_HOST
    assert reason_of(at(rabbit.url, "amqp", LOOPBACK, tls_port)) == failures.NOT_PLAIN
    plain = urlsplit(rabbit.url).port or 5672
    assert reason_of(at(rabbit.url, "amqps", LOOPBACK, plain)) == failures.NO_TLS


@pytest.mark.parametrize("pem", [3, -1], indirect=True, ids=["expired", "of tomorrow"])
def test_a_certificate_that_is_not_good_today_is_told_from_one_that_is_unknown(
    rabbit: RabbitBuses, tls_port: int, pem: Path
) -> None:
    url = at(rabbit.url, "amqps", LOOPBACK, tls_port, f"cacertfile={pem}")
    assert reason_of(url) == failures.EXPIRED


def test_a_permission_that_is_taken_away_is_said(rabbitmq: RabbitMQ, rabbit: RabbitBuses) -> None:
    # Given a service at work,
    signup = rabbit.open("signup")
    # When somebody takes away its user's right to read the queue, and it subscribes anew,
    path = f"/permissions/{vhost_of(rabbit)}/{urlsplit(rabbit.url).username}"
    blind = {"configure": ".*", "write": ".*", "read": "^$"}
    rabbitmq.management.call("PUT", path, blind)
    rabbitmq.ctl("close_all_connections", "--vhost", vhost_of(rabbit), "test")
    # Then it says what is lacking, and who gives it.
    wait_until(lambda: "a permission was taken away" in signup.trouble(), "it is said", RECOVERED)
    assert "topology apply" in signup.trouble()


def test_a_limit_on_connections_is_said(rabbitmq: RabbitMQ, rabbit: RabbitBuses) -> None:
    # Given a virtual host that takes no more connections,
    path = f"/vhost-limits/{vhost_of(rabbit)}/max-connections"
    rabbitmq.management.call("PUT", path, {"value": 0})
    # When somebody connects, Then that is what they are told.
    assert "a limit on them is reached" in reason_of(rabbit.url)


def test_a_service_with_nothing_to_say_knows_of_an_alarm(
    rabbitmq: RabbitMQ, rabbit: RabbitBuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a service that hears nothing and so says nothing, and a stranger,
    monkeypatch.setattr(bus, "PROBE_EVERY_LOOKS", 1)
    signup = rabbit.open("signup", dead="signup.dead")
    assert not takes_nothing(rabbit.url)
    # When the broker is short of memory, Then both get to know of it,
    rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        wait_until(lambda: signup.trouble() == ALARM, "the service knows", RECOVERED)
        assert takes_nothing(rabbit.url)
    finally:
        rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")
    # and that it is over; and nobody has got anything of it.
    wait_until(lambda: signup.trouble() == "", "the alarm is over", RECOVERED)
    assert signup.receive(10, wait=0.2, linger=0) == []
    assert signup.publish(messages(1)).result(SOON)
