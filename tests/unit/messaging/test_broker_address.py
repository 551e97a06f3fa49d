"""The broker's address, read."""

from pathlib import Path

import pytest

from shared.base.errors import WrongSettings
from shared.messaging.rabbitmq.address import broker_parameters
from tests.servers.mail_server import certificate


@pytest.mark.parametrize("name", ["cacertfile", "cafile"])
def test_the_file_of_ones_own_ca_is_named_in_the_address(tmp_path: Path, name: str) -> None:
    pem = certificate(tmp_path)
    address = f"amqps://signup:pw@broker.example/%2F?{name}={pem}&heartbeat=30"
    parameters = broker_parameters(address)
    assert (parameters.host, parameters.port, parameters.heartbeat) == ("broker.example", 5671, 30)
    context = parameters.ssl_options.context
    assert len(context.get_ca_certs()) == 1
    assert context.check_hostname


def test_ones_own_certificate_is_named_there_too(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    assert broker_parameters(f"amqps://broker.example/?certfile={pem}&keyfile={pem}").ssl_options


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("amqps://u:hush@h/?cacertfile=/nowhere.pem", "the file that cacertfile names cannot be"),
        ("amqps://u:hush@h/?cacertfile=/dev/null", "no certificate or key in PEM"),
        ("amqps://u:hush@h/?keyfile=/dev/null", "no certificate or key in PEM"),
        ("amqp://u:hush@h/?cacertfile=/dev/null", "cacertfile is for amqps:// alone"),
        ("amqps://u:hush@h/?verify=hush", "cannot be read"),
        ("amqp://u:hu/sh@h:5672/", "cannot be read"),
        ("amqp://u@h/", "cannot be read"),
        ("http+unix://hush", "cannot be read"),
    ],
)
def test_one_that_cannot_be_read_is_said_so_without_a_piece_of_it(address: str, said: str) -> None:
    with pytest.raises(WrongSettings) as refusal:
        broker_parameters(address)
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("STAPPENPLAN_BROKER_URL")
    assert "hush" not in str(refusal.value)
