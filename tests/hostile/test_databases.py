"""Whatever is heard ends in the database: done, or dead with its reason; and so do its neighbours.

Every service takes every message, good ones before and behind it, on the real databases.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.encoders import jsonable_encoder
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from infra.composition import service_names
from infra.operations.dead_letters import letters
from infra.run.runtimes import BusFactory, build_runtimes
from services.signup.models import Office
from services.signup.service import EXAMPLE
from shared.base.errors import Malformed
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
from shared.processing.dead_letters import REJECTED
from shared.processing.store.kept_messages import fingerprint
from shared.processing.store.tables import DEAD, DONE, Inbox
from shared.processing.testing import RecordingBus
from tests.hostile.messages import DOCUMENTS, MESSAGES, Hostile, proper
from tests.hostile.test_reading import arrived
from tests.servers.postgres import Databases

HEARS = {
    "signup": "signup.submitted.v1",
    "registration": "signup.accepted.v1",
    "billing": "registration.completed.v1",
    "activation": "signup.accepted.v1",
}
GOOD = {document["type"]: document for document in DOCUMENTS if document["type"] in HEARS.values()}


def good(service: str) -> Incoming:
    """Something that this service hears every day."""
    document = json.loads(json.dumps(GOOD[HEARS[service]]))
    document["id"], document["subject"] = str(uuid4()), str(uuid4())
    return arrived(Hostile(document["type"], proper(), json.dumps(document).encode()))


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def runtimes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Runtime]]:
    """All services with their tables, without their threads; nobody hears what they say."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    url = "sqlite:///{data_dir}/{service}.db"
    if request.param == "postgresql":
        databases: Databases = request.getfixturevalue("databases")
        url = databases.make_each(service_names())
    services = build_runtimes(Settings(data_dir=folder, database_url=url), _RecordingBuses())
    for runtime in services:
        upgrade(runtime.database, runtime.service.migrations)
        if runtime.service.name == "signup":
            with runtime.database.begin() as session:
                session.add(Office(**EXAMPLE.model_dump()))
    yield services
    for runtime in services:
        runtime.database.close()
        if request.param == "postgresql":
            databases.drop(runtime.database.url)


class _RecordingBuses(BusFactory):
    def __init__(self) -> None: ...

    def bus(self, name: str, *, consume: bool = True, exchange: str | None = None) -> Any:
        return RecordingBus()


def row(database: Database, key: str) -> Inbox:
    with database.read() as session:
        kept = session.get(Inbox, key)
    assert kept is not None, "it has vanished"
    return kept


def end_of(runtime: Runtime, incoming: Incoming) -> Inbox:
    """What became of a message that was taken."""
    rejected_id = f"{REJECTED}{fingerprint(incoming)}"
    try:
        message = runtime.engine.decoder.decode(incoming)
    except Malformed:
        return row(runtime.database, rejected_id)
    with runtime.database.read() as session:
        rejected = session.get(Inbox, rejected_id)
    return rejected or row(runtime.database, message.envelope.id)


def tell(runtime: Runtime, letter: Inbox) -> str:
    """All that a person can ask about a dead letter, as JSON that any reader takes."""
    shown = letters.show(runtime.database, letter.id)
    text = json.dumps(jsonable_encoder(shown), ensure_ascii=False, allow_nan=False)
    text.encode()
    return text


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(hostile=st.lists(MESSAGES, min_size=1, max_size=6), redelivered=st.booleans())
def test_each_is_done_or_dead_with_its_reason_and_the_good_ones_are_done(
    runtimes: Sequence[Runtime], hostile: list[Hostile], redelivered: bool
) -> None:
    for runtime in runtimes:
        # Given a batch of messages that nobody should send, among good ones
        bad = [arrived(message, redelivered=redelivered) for message in hostile]
        before, behind = good(runtime.service.name), good(runtime.service.name)
        # When a service takes it,
        runtime.engine.take([before, *bad, behind])
        # Then the good ones are done,
        for message in (before, behind):
            assert end_of(runtime, message).status == DONE
        # and each of the others is done as well or dead, with its reason, for a person to see.
        for message in bad:
            end = end_of(runtime, message)
            assert end.status in (DONE, DEAD), f"{runtime.service.name}: {end.error}"
            if end.status == DEAD:
                assert (end.error or "").strip()
                assert tell(runtime, end)


def test_no_service_is_left_out(runtimes: Sequence[Runtime]) -> None:
    assert sorted(HEARS) == sorted(runtime.service.name for runtime in runtimes)
