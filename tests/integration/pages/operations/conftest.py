"""One running system, what failed in it, and the operators who see to that."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.operations.dead_letters import letters
from shared.events.envelope import CONTENT_TYPE
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.messaging.bus import EXCHANGE, Incoming
from shared.processing.store.kept_messages import to_columns
from shared.processing.store.tables import DEAD, Inbox
from tests.e2e.api import Api
from tests.e2e.clock import StandingClock
from tests.e2e.king import Event, collection_result, say
from tests.e2e.stage import Stage, one_process
from tests.servers.premises import wait_until
from tests.visitors import Visitor, staff_visitor


class Failures:
    """Makes dead letters: KING reports what billing cannot read."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def report(self, about: str = "", **wrong: Any) -> tuple[str, Event]:
        """A report whose attempt is a word; the id of the letter at billing, and the event."""
        event = collection_result(about, **{"attempt": "first"} | wrong)
        before = self.dead()
        say(self.api.stage, event)
        wait_until(lambda: bool(self.dead() - before), "billing has refused it", 20)
        (letter_id,) = self.dead() - before
        return letter_id, event

    def exhausted(self, number: int, error: str) -> list[str]:
        """Reports in good order whose handler failed for this reason until they were dead."""
        letter_ids = []
        for _ in range(number):
            event = collection_result()
            came = Incoming(
                json.dumps(event).encode(), event["type"], CONTENT_TYPE, exchange=EXCHANGE
            )
            letter_ids.append(event["id"])
            with self.runtime.database.begin() as session:
                session.add(
                    Inbox(
                        id=event["id"],
                        type=event["type"],
                        subject=event["subject"],
                        digest="d",
                        status=DEAD,
                        received_at=self.api.stage.clock(),
                        attempts=6,
                        error=error,
                        **to_columns(came),
                    )
                )
        return letter_ids

    def dead(self) -> set[str]:
        """The ids of billing's dead letters."""
        return {letter.id for letter in letters.find({"billing": self.runtime.database})}

    @property
    def runtime(self) -> Runtime:
        """Billing at work."""
        (found,) = (one for one in self.api.stage.runtimes if one.service.name == "billing")
        return found


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The embedded default with a clock that stands, as a test of pages has it."""
    folder = tmp_path_factory.mktemp("operations")
    settings = Settings(data_dir=folder, http_port=0, log_level="error")
    with one_process(settings, simulate_king=False, clock=StandingClock()) as stage:
        yield stage


@pytest.fixture(scope="package")
def api(stage: Stage) -> Api:
    return Api(stage)


@pytest.fixture
def failures(api: Api) -> Failures:
    return Failures(api)


@pytest.fixture
def operator(stage: Stage) -> Visitor:
    return staff_visitor(stage.settings, stage.addresses["billing"], "operator", name="O. Beheer")


@pytest.fixture
def colleague(stage: Stage) -> Visitor:
    return staff_visitor(stage.settings, stage.addresses["billing"], "operator", name="P. Ploeg")


@pytest.fixture
def king(stage: Stage) -> Visitor:
    return staff_visitor(stage.settings, stage.addresses["billing"], "king")


@pytest.fixture
def stranger(stage: Stage) -> Visitor:
    return Visitor(stage.settings, stage.addresses["billing"])
