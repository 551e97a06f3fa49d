"""A broker that takes nothing for want of memory: each command and `/readyz` say so."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import httpx
import pytest

from infra.operations.replay.archive import Archive, NotTaken, Published, send_again
from infra.run.supervisor import Supervisor
from shared.messaging.bus import ALARM
from shared.messaging.rabbitmq import bus
from tests.integration.command_line.shell import ROOT, Shell
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ

EXAMPLE = ROOT / "infra" / "demo" / "examples" / "01-bakkerij.json"


@pytest.fixture
def short_of_memory(rabbitmq: RabbitMQ) -> Iterator[None]:
    """The broker of these tests takes nothing that is published."""
    rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
    yield
    rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")


def test_a_memory_alarm_is_told_by_emit_replay_doctor_and_readiness(
    broker_shell: Shell,
    rabbitmq: RabbitMQ,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given an idle service, whose broker comes to be short of memory,
    monkeypatch.setattr(bus, "PROBE_EVERY_LOOKS", 1)
    broker_shell.settings.update(HTTP_PORT="0", LOG_LEVEL="error")
    assert broker_shell("topology", "apply").returncode == 0
    settings = broker_shell.read_settings(monkeypatch)
    with Supervisor(settings, ["signup"]) as running:
        wait_until(lambda: readiness(running) == {}, "it is ready", 30)
        request.getfixturevalue("short_of_memory")
        # When it is asked whether it can work, Then it says that it cannot say anything.
        wait_until(lambda: readiness(running) == {"signup": [ALARM]}, "it is said", 30)
    # When an event is emitted, Then that is said instead of blaming the topology,
    emitted = broker_shell("emit", str(EXAMPLE))
    assert emitted.returncode == 1
    assert ALARM in emitted.stderr
    assert "counts once" in emitted.stderr
    # When events are replayed, Then the same,
    event = Published(datetime.now(UTC), "id", "signup.accepted.v1", b"{}")
    with pytest.raises(NotTaken, match="short of memory or disk space"):
        next(send_again(settings, "activation", cast("Archive", [event])))
    # and so it is by the doctor.
    findings = json.loads(broker_shell("doctor", "--json").stdout)
    (finding,) = [each for each in findings if each["check"] == "broker"]
    assert (finding["ok"], finding["finding"]) == (False, ALARM)


def readiness(running: Supervisor) -> dict[str, list[str]]:
    """What keeps each service from working."""
    answer = httpx.get(f"{running.address}/readyz", timeout=10)
    reasons: dict[str, list[str]] = answer.json()["not_ready_reasons"]
    return reasons


@pytest.mark.parametrize(
    "words", [("emit", str(EXAMPLE)), ("topology", "apply"), ("doctor",)], ids=str
)
def test_a_ca_file_that_is_not_there_is_said_so(shell: Shell, words: tuple[str, ...]) -> None:
    # Given an address with a file that is not there, When any command uses it,
    shell.settings["BROKER_URL"] = "amqps://stappenplan:hush@127.0.0.1:1/?cacertfile=/nowhere"
    answer = shell(*words)
    # Then it ends with a sentence, and no traceback.
    said = " ".join((answer.stdout + answer.stderr).split())
    assert answer.returncode in (1, 2)
    assert "the file that cacertfile names cannot be read" in said
    assert "Traceback" not in said
    assert "hush" not in said
