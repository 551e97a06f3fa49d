"""`stappenplan emit`, `run` and `replay`: events from a file, and again from the outbox."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from infra.demo.simulators import website
from infra.run.runtimes import BusFactory
from shared.messaging.bus import Incoming
from shared.persistence.database import Database
from shared.processing.store.tables import Outbox
from tests.integration.command_line.shell import PROGRAM, ROOT, Shell
from tests.scopes import token_for
from tests.servers.premises import free_ports, wait_until

EXAMPLE = ROOT / "infra" / "demo" / "examples" / "01-bakkerij.json"


def received(
    shell: Shell, queue: str, monkeypatch: pytest.MonkeyPatch, count: int
) -> list[Incoming]:
    """What waits on a queue."""
    bus = BusFactory(shell.read_settings(monkeypatch)).bus(queue)
    bus.open()
    messages: list[Incoming] = []

    def enough() -> bool:
        messages.extend(bus.receive(100, 1, 0.05))
        return len(messages) >= count

    wait_until(enough, f"{count} messages wait on {queue}")
    bus.acknowledge(messages)
    bus.close()
    return messages


def test_a_signup_in_a_file_reaches_the_queue(
    broker_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker_shell("topology", "apply")
    answer = broker_shell("emit", str(EXAMPLE))
    assert answer.returncode == 0, answer.stderr
    (message,) = received(broker_shell, "signup", monkeypatch, 1)
    assert json.loads(message.body)["id"] == json.loads(EXAMPLE.read_text())["id"]


def test_many_events_come_as_lines_by_standard_input(
    broker_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker_shell("topology", "apply")
    lines = "\n".join(json.dumps(document) for document in website.signups(5))
    answer = broker_shell("emit", "-", "--json", stdin=lines)
    assert [json.loads(line)["type"] for line in answer.stdout.splitlines()] == [
        "signup.submitted.v1"
    ] * 5
    assert len(received(broker_shell, "signup", monkeypatch, 5)) == 5


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"id": ', "JSON"),
        ("[1]", "JSON object"),
        ('{"specversion": "1.0"}', "id"),
    ],
)
def test_one_wrong_line_is_named_and_nothing_is_published(
    broker_shell: Shell, line: str, says: str
) -> None:
    # Given a good event and a bad one behind it, and a broker that would take neither,
    good = json.dumps(next(website.signups(1)))
    answer = broker_shell("emit", "-", stdin=f"{good}\n{line}\n")
    # Then the bad one is named by its number, before anything was published.
    assert answer.returncode == 1
    assert answer.stderr.startswith("event 2: ")
    assert says in answer.stderr
    assert answer.stdout == ""


def test_nobody_says_a_services_events_for_it(broker_shell: Shell) -> None:
    event = ROOT / "tests" / "contract" / "golden" / "customer.released.v1.json"
    answer = broker_shell("emit", str(event))
    assert answer.returncode == 1
    assert "said by billing alone" in answer.stderr


def test_a_file_that_is_not_there_is_wrong_usage(shell: Shell) -> None:
    assert shell("emit", "no-such-file.json").returncode == 2


def test_a_file_that_is_no_text_is_refused_in_a_sentence(shell: Shell, tmp_path: Path) -> None:
    # Given a file as some other program wrote it,
    file = tmp_path / "signup.json"
    file.write_bytes('{"company": "Café"}'.encode("utf-16"))
    # When it is emitted, by name or by standard input,
    by_name, by_input = shell("emit", str(file)), shell("emit", "-", stdin=file.read_bytes())
    # Then it is told what is wrong.
    for answer, source in ((by_name, str(file)), (by_input, "standard input")):
        assert answer.returncode == 1
        assert answer.stderr.startswith(f"{source} is not text in UTF-8")
        assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("nothing", [b"", b"\n \n"])
def test_where_there_is_no_event_emit_says_so(shell: Shell, tmp_path: Path, nothing: bytes) -> None:
    file = tmp_path / "nothing.json"
    file.write_bytes(nothing)
    by_name, by_input = shell("emit", str(file)), shell("emit", "-", stdin=nothing)
    assert (by_name.returncode, by_input.returncode) == (1, 1)
    assert by_name.stderr == f"there is no event in {file}\n"
    assert by_input.stderr == "there is no event in standard input\n"


@pytest.mark.parametrize(
    "value", ['"\\ud800"', '"a\\u0000b"', "NaN"], ids=["half a character", "NUL", "NaN"]
)
def test_what_only_some_readers_take_for_json_is_not_emitted(shell: Shell, value: str) -> None:
    # Given a sign-up that every service would refuse for its text, When it is emitted,
    text = EXAMPLE.read_text().replace('"Bakkerij De Korenaar"', value)
    assert text != EXAMPLE.read_text()
    answer = shell("emit", "-", stdin=text)
    # Then it is refused here.
    assert answer.returncode == 1
    assert answer.stderr.startswith("event 1: ")
    assert "Traceback" not in answer.stderr


def test_without_a_running_process_emit_says_how_to_start_one(shell: Shell) -> None:
    shell.settings["HTTP_PORT"] = str(free_ports(1)[0])
    answer = shell("emit", str(EXAMPLE))
    assert answer.returncode == 1
    assert "stappenplan run" in answer.stderr


@contextmanager
def running(shell: Shell) -> Iterator["subprocess.Popen[bytes]"]:
    """`stappenplan run --simulate-king`, until it has stopped in good order."""
    port = free_ports(1)[0]
    shell.settings["HTTP_PORT"] = str(port)
    process = subprocess.Popen(
        [PROGRAM, "run", "--simulate-king"],
        env=shell.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), "it is ready")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def test_a_running_process_takes_up_what_is_emitted_and_knows_it_after_a_restart(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = json.loads(EXAMPLE.read_text())["subject"]

    def registered() -> bool:
        settings = shell.read_settings(monkeypatch)
        token = token_for(settings.signing_key(), "onboardings:read")
        answer = httpx.get(
            f"http://127.0.0.1:{shell.settings['HTTP_PORT']}/api/onboardings/{subject}",
            headers={"Authorization": f"Bearer {token}"},
        )
        return "AANMELDEN" in answer.text and answer.json()["order_reference"] is not None

    # Given a running process, When a sign-up is emitted,
    with running(shell):
        assert shell("emit", str(EXAMPLE)).returncode == 0
        # Then it goes its way,
        wait_until(registered, "it is registered")
    # and another process on the same folder still knows it.
    with running(shell):
        assert registered()


def said(url: str, path: Path) -> str:
    """An event that signup published a moment ago."""
    document = json.loads(path.read_text())
    now = datetime.now(UTC)
    database = Database(url)
    with database.begin() as session:
        session.add(
            Outbox(
                id=document["id"],
                type=document["type"],
                subject=document["subject"],
                body=json.dumps(document).encode(),
                created_at=now,
                leased_until=now,
                published_at=now,
            )
        )
    database.close()
    return str(document["id"])


ACCEPTED = ROOT / "tests" / "contract" / "golden" / "signup.accepted.v1.json"


def test_replay_serves_one_queue_again(
    broker_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an event that signup published, and two queues that are subscribed to it,
    broker_shell("topology", "apply")
    broker_shell("db", "upgrade")
    settings = broker_shell.read_settings(monkeypatch)
    event_id = said(settings.database_url_of("signup"), ACCEPTED)
    # When registration is served again,
    answer = broker_shell("replay", "registration")
    assert answer.returncode == 0, answer.stderr
    # Then it has the event, and nobody else has.
    (message,) = received(broker_shell, "registration", monkeypatch, 1)
    assert json.loads(message.body)["id"] == event_id
    other = BusFactory(settings).bus("activation")
    other.open()
    assert other.receive(10, 0.5, 0) == []
    other.close()


def test_a_replayed_event_bears_the_trace_that_it_was_said_in(
    broker_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an event that signup published with the trace of the request behind it,
    broker_shell("topology", "apply")
    broker_shell("db", "upgrade")
    settings = broker_shell.read_settings(monkeypatch)
    said(settings.database_url_of("signup"), ACCEPTED)
    traceparent = json.loads(ACCEPTED.read_text())["traceparent"]
    # When registration is served again,
    assert broker_shell("replay", "registration").returncode == 0
    # Then whoever reads headers alone, as tracing does, finds it there, as the first time.
    (message,) = received(broker_shell, "registration", monkeypatch, 1)
    assert message.headers["traceparent"] == traceparent


def test_an_event_steers_no_terminal_where_it_is_refused(broker_shell: Shell) -> None:
    # Given a sign-up for an office whose code would turn the line around, and that is too long,
    document = next(website.signups(1))
    document["data"]["office_code"] = "\u202e\x1b[31m" + "x" * 250
    # When the broker takes no such name, Then who is refused is told in signs that can be seen.
    broker_shell("topology", "apply")
    answer = broker_shell("emit", "-", stdin=json.dumps(document))
    assert answer.returncode == 1
    told = answer.stderr.splitlines()[-1]
    assert told.startswith("event 1: the broker did not take it from website-\\u202e\\u001b[31mx")
    assert told.isprintable()


def test_replay_from_a_later_moment_serves_nothing(
    broker_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker_shell("topology", "apply")
    broker_shell("db", "upgrade")
    settings = broker_shell.read_settings(monkeypatch)
    said(settings.database_url_of("signup"), ACCEPTED)
    answer = broker_shell("replay", "registration", "--since", "2126-01-01T00:00:00Z")
    assert answer.stdout.startswith("0 events")
    assert broker_shell("replay", "registration", "--since", "last week").returncode == 2
