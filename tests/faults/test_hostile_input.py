"""Three hundred messages that nobody should send, among sign-ups, on a real broker."""

import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pika  # noqa: TID251 - it stands for anybody's client.
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pika.exceptions import AMQPError  # noqa: TID251
from typer.testing import CliRunner

from infra.cli.program import app
from infra.composition import build_services, decoder, service_names
from infra.demo.simulators.website import signups
from shared.base.errors import Malformed
from shared.host.settings import Settings
from shared.messaging.bus import EXCHANGE
from tests.crashes.ledger import Ledger
from tests.faults.conftest import Note
from tests.faults.load import outgoing
from tests.faults.stage import Stage, on_stage, within
from tests.hostile.messages import MESSAGES, Hostile
from tests.hostile.test_reading import arrived

BATCH = 100
BATCHES = 3
GOOD_IN_EACH = 10
SETTLING = 180.0
STUMBLES = (
    "broker_connection_lost",
    "broker_channel_closed",
    "broker_io_loop_crashed",
    "batch_failed",
    "message_unprocessable",
    "periodic_task_failed",
    "handler_hangs",
)
"""What a process says when a message has hurt it."""
LISTS = (
    "/api/onboardings",
    "/api/registrations?status=review",
    "/api/collections?status=requested",
    "/api/held-results",
    "/api/activations?status=ready",
    "/api/offices",
)


class Written(pika.BasicProperties):  # type: ignore[misc]
    """Properties that are bytes already."""

    def __init__(self, written: bytes) -> None:
        super().__init__()
        self.written = written

    def encode(self) -> list[bytes]:
        """The bytes, as pika asks for them."""
        return [self.written]


class ForeignClient:
    """Publishes whatever it is told; a broker that hangs up on it is called again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._line: Any = None

    def publish(self, message: Hostile) -> bool:
        """Whether the broker took it."""
        try:
            if self._line is None or self._line.is_closed:
                self._line = pika.BlockingConnection(pika.URLParameters(self._url))
                self._channel = self._line.channel()
                self._channel.confirm_delivery()
            self._channel.basic_publish(
                EXCHANGE, message.routing_key, message.body, Written(message.properties), True
            )
        except (AMQPError, OSError):
            with suppress(AMQPError, OSError):
                self._line.close()
            self._line = None
            return False
        return True

    def close(self) -> None:
        if self._line is not None:
            self._line.close()


def made_up(count: int) -> list[Hostile]:
    """So many hostile messages, others each time."""
    found: list[Hostile] = []

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(MESSAGES)
    def collect(message: Hostile) -> None:
        found.append(message)

    while len(found) < count:
        collect()
    return found[:count]


class Fates:
    """Looks for what has become of each message at each service that heard it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        settings = Settings()
        self._services = {service.name: service for service in build_services(settings)}
        self._decoders = {name: decoder(settings, name) for name in self._services}

    def unaccounted(self, messages: Sequence[Hostile]) -> list[tuple[str, Hostile]]:
        """The messages that are neither done nor dead with a reason, each with its service."""
        missing = []
        for name, service in self._services.items():
            dead, done = self._dead(name), self._done(name)
            missing += [
                (name, message)
                for message in messages
                if message.routing_key in service.hears
                and message.body not in dead
                and self._id(name, message) not in done
            ]
        return missing

    def _dead(self, service: str) -> set[bytes]:
        query = "SELECT body FROM inbox WHERE status = 'dead' AND error <> ''"
        return {bytes(row[0] or b"") for row in self._stage.books.rows(service, query)}

    def _done(self, service: str) -> set[str]:
        query = "SELECT id FROM inbox WHERE status = 'done'"
        return {row[0] for row in self._stage.books.rows(service, query)}

    def _id(self, service: str, message: Hostile) -> str:
        try:
            return self._decoders[service].decode(arrived(message)).envelope.id
        except Malformed:
            return "it cannot be read"


@pytest.mark.faults
def test_hostile_messages_end_with_a_reason_and_the_good_ones_get_through(
    ground: Settings, note: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given services at work, and a foreign client that sends whatever comes to its mind
    good = list(signups(400, seed=6))[-BATCHES * GOOD_IN_EACH :]
    with on_stage(ground) as stage:
        stage.load.stop()
        processes = dict(stage.processes)
        client, fates = ForeignClient(ground.broker_url), Fates(stage)
        seconds = 0.0
        for number in range(BATCHES):
            # When it sends a hundred, with good sign-ups between them,
            hostile = made_up(BATCH)
            these = good[number * GOOD_IN_EACH :][:GOOD_IN_EACH]
            taken = []
            for place, message in enumerate(hostile):
                taken += [message] if client.publish(message) else []
                if place % (BATCH // GOOD_IN_EACH) == 0:
                    document = these[place // (BATCH // GOOD_IN_EACH)]
                    stage.line.publish([outgoing(document)]).result(60)
            assert len(taken) > BATCH / 2, "the broker itself refused most of it"

            # Then the good ones get through,
            ids = [document["subject"] for document in these]
            waited = within(SETTLING, lambda: all(map(stage.books.has_arrived, ids)), "good ones")  # noqa: B023
            seconds = max(seconds, waited)
            stage.load.submitted |= {document["id"]: document["subject"] for document in these}
            # and each of the others is done, or dead with a reason.
            with suppress(Exception):
                within(60, lambda: not fates.unaccounted(taken), "each has its end")  # noqa: B023
            assert fates.unaccounted(taken) == []
        client.close()

        # No process was hurt by any of it,
        assert stage.processes == processes
        assert all(process.poll() is None for process in processes.values())
        assert [word for word in STUMBLES if stage.told(word)] == []
        assert stage.alive()
        # every list that staff work with can be read, whatever is in it now,
        assert {path: stage.ask(path).status_code for path in LISTS} == dict.fromkeys(LISTS, 200)
        # and people can look at all of it, in a terminal and over HTTP.
        letters = [
            letter
            for name in service_names()
            for letter in stage.ask(f"/api/{name}/dead-letters").json()
        ]
        assert letters
        look_at_each(stage, letters, monkeypatch)
        assert clean(stage.run("dead", "list"))

        ledger = of_the_good(stage.ledger(), stage)
        note("hostile messages among sign-ups", ledger, seconds, dead=len(letters))


def of_the_good(ledger: Ledger, stage: Stage) -> Ledger:
    """The ledger without what was doubled on purpose: what was made up may share a subject."""
    good = set(stage.load.submitted.values())
    doubled = [entry for entry in ledger.duplicated if any(subject in entry for subject in good)]
    return replace(ledger, duplicated=doubled)


def look_at_each(stage: Stage, letters: list[dict[str, Any]], patch: pytest.MonkeyPatch) -> None:
    """Show every letter by the command line (in this process, for its speed) and over HTTP."""
    patch.setenv("STAPPENPLAN_BROKER_URL", stage.settings.broker_url)
    patch.setenv("STAPPENPLAN_DATABASE_URL", stage.settings.database_url)
    patch.setenv("STAPPENPLAN_DATA_DIR", str(stage.settings.data_dir))
    for letter in letters:
        answer = stage.ask(f"/api/{letter['service']}/dead-letters/{letter['id']}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["error"].strip()
        for words in (["dead", "show"], ["dead", "show", "--json"]):
            shown = CliRunner().invoke(app, [*words, letter["service"], letter["id"]])
            assert shown.exit_code == 0, shown.output
            assert clean(shown.stdout)


def clean(shown: str) -> bool:
    """Whether a terminal shows it as it is."""
    return bool(shown) and not [
        sign for sign in shown if unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t"
    ]
