"""`stappenplan replay` when there is much to serve again, or something is in the way."""

import json
import re
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import NAMESPACE_DNS, uuid5

import pytest
from sqlalchemy import select
from sqlmodel import col

from infra.operations.replay.archive import PAGE, PAGE_BYTES, Archive, pages_of
from infra.run.runtimes import BusFactory
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.persistence.bulk import insert_rows
from shared.persistence.database import Database
from shared.processing.store.tables import Inbox, Outbox
from tests.integration.command_line.shell import ROOT, Shell
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ

GOLDEN = ROOT / "tests" / "contract" / "golden"
SAID = {
    "signup": "signup.accepted.v1",
    "registration": "registration.completed.v1",
    "billing": "customer.released.v1",
}
"""Events of three services, all of which activation hears."""
AN_HOUR_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def say(
    settings: Settings, service: str, count: int, *, published: bool = True, weight: int = 0
) -> list[tuple[datetime, str]]:
    """So many events that this service has said, seven at each moment; their order."""
    event_type = SAID[service]
    document = json.loads((GOLDEN / f"{event_type}.json").read_bytes())
    rows = []
    for number in range(count):
        document["id"] = str(uuid5(NAMESPACE_DNS, f"{number}.{published}.{service}.example"))
        at = AN_HOUR_AGO + timedelta(milliseconds=number // 7)
        row = {"id": document["id"], "type": event_type, "subject": document["subject"]}
        row |= {"body": json.dumps(document).encode() + b" " * weight, "attempts": 0}
        row |= {"created_at": at, "leased_until": at, "published_at": at if published else None}
        rows.append(row)
    database = Database(settings.database_url_of(service))
    with database.begin() as session:
        insert_rows(session, Outbox, rows)
    database.close()
    return [(row["published_at"] or AN_HOUR_AGO, str(row["id"])) for row in rows]


def waiting_for(settings: Settings, count: int) -> list[str]:
    """The ids of what waits for activation, so many at least, in its order; it is taken away."""
    bus = BusFactory(settings).bus("activation")
    bus.open()
    messages: list[Incoming] = []

    def took() -> bool:
        more = bus.receive(500, 0.5, 0.05)
        bus.acknowledge(more)
        messages.extend(more)
        return len(messages) >= count and not more

    wait_until(took, f"{count} events wait for activation")
    bus.close()
    return [json.loads(message.body)["id"] for message in messages]


@pytest.fixture
def settings(broker_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Settings:
    broker_shell("topology", "apply")
    broker_shell("db", "upgrade")
    return broker_shell.read_settings(monkeypatch)


def test_many_events_are_served_once_each_in_the_order_in_which_they_were_published(
    broker_shell: Shell, settings: Settings
) -> None:
    # Given more events of three services than are read at a time, one of them fewer,
    said = [
        *say(settings, "signup", 2 * PAGE + 50),
        *say(settings, "registration", PAGE),
        *say(settings, "billing", 30),
    ]
    # When activation is served again,
    answer = broker_shell("replay", "activation")
    # Then it has each of them once, the oldest first.
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith(f"{len(said)} events since")
    assert f"{len(said)} handed to activation" in answer.stdout
    assert waiting_for(settings, len(said)) == [name for _, name in sorted(said)]


@pytest.fixture
def cramped(rabbitmq: RabbitMQ, settings: Settings) -> Sequence[str]:
    """Activation's queue takes little more than a page, until the policy is gone."""
    vhost = urlsplit(settings.broker_url).path.lstrip("/")
    policy = f"/policies/{vhost}/cramped"
    limit = {"max-length": PAGE + 20, "overflow": "reject-publish"}
    body = {"pattern": "^activation$", "definition": limit, "apply-to": "queues"}
    rabbitmq.management.call("PUT", policy, body)

    def obeyed() -> bool:
        queue = rabbitmq.management.call("GET", f"/queues/{vhost}/activation")
        return bool(queue.get("policy") == "cramped")

    wait_until(obeyed, "the broker has the policy")
    return ("DELETE", policy)


def test_a_replay_that_broke_off_is_repeated_from_there_and_nothing_is_lost(
    broker_shell: Shell, settings: Settings, rabbitmq: RabbitMQ, cramped: Sequence[str]
) -> None:
    # Given a queue that is full before everything is served,
    said = {name for _, name in say(settings, "signup", 3 * PAGE)}
    broken = broker_shell("replay", "activation")
    assert broken.returncode == 1
    advice = re.search(
        rf"; (\d+) of {len(said)} were handed over; `stappenplan (.+)`", broken.stderr
    )
    assert advice is not None, broken.stderr
    handed_over = int(advice[1])
    assert 0 < handed_over < len(said)
    # When there is room again, and it is repeated as it says,
    served = set(waiting_for(settings, handed_over))
    rabbitmq.management.call(*cramped)
    repeated = broker_shell(*advice[2].split())
    # Then the service gets all that it had not, without the whole being sent again.
    assert repeated.returncode == 0, repeated.stderr
    rest = waiting_for(settings, len(said) - handed_over)
    assert served | set(rest) == said
    assert len(rest) < len(said)


def test_what_was_never_published_is_counted_and_left_to_its_sweeper(
    broker_shell: Shell, settings: Settings
) -> None:
    # Given three events that billing has said and not published, and one that it has,
    say(settings, "billing", 3, published=False)
    said = say(settings, "billing", 1)
    # When activation is served again, Then it gets the one, and the others are named.
    answer = broker_shell("replay", "activation")
    assert answer.stdout.startswith("1 event since")
    assert "3 events that billing has still to publish" in answer.stdout
    assert waiting_for(settings, 1) == [name for _, name in said]


def test_however_much_there_is_a_page_of_it_is_in_memory(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given twenty pages of large events,
    shell("db", "upgrade")
    settings = shell.read_settings(monkeypatch)
    weight, count = 20_000, 20 * PAGE
    say(settings, "signup", count, weight=weight)
    # When they are read to their end,
    with Archive(settings, "activation", AN_HOUR_AGO) as archive:
        tracemalloc.start()
        read = sum(1 for _ in archive)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    # Then no more than a few pages' worth was ever held.
    assert read == count
    assert peak < 4 * PAGE * weight


def test_a_page_is_bounded_by_bytes_too(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given events as large as events may be, of two services,
    shell("db", "upgrade")
    settings = shell.read_settings(monkeypatch)
    weight, count = 900_000, 30
    order = [
        row for name in ("signup", "billing") for row in say(settings, name, count, weight=weight)
    ]
    # When they are read to their end, a page at a time,
    with Archive(settings, "activation", AN_HOUR_AGO) as archive:
        tracemalloc.start()
        read = []
        for page in pages_of(iter(archive)):
            assert sum(len(event.body) for event in page) <= PAGE_BYTES
            read += [(event.at, event.id) for event in page]
            del page
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    # Then each came once, in order, and a few pages are all that was ever held.
    assert read == sorted(order)
    assert peak < 6 * PAGE_BYTES


def test_without_a_broker_a_service_gets_each_event_once(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given the embedded default, with more events than are read at a time,
    shell("db", "upgrade")
    settings = shell.read_settings(monkeypatch)
    said = {name for _, name in say(settings, "signup", PAGE + 30)}
    # When activation is served again, twice,
    assert shell("replay", "activation").returncode == 0
    assert shell("replay", "activation").returncode == 0
    # Then each waits in its inbox, once.
    database = Database(settings.database_url_of("activation"))
    with database.read() as session:
        ids = list(session.execute(select(col(Inbox.id))).scalars())
    database.close()
    assert sorted(ids) == sorted(said)
