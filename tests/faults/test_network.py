"""Networks fail in more ways than servers do; none of them costs a customer anything."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest
from sqlalchemy import make_url

from shared.host.settings import Settings
from tests.faults.conftest import Note
from tests.faults.proxy import Proxy
from tests.faults.stage import Stage, on_stage, within

HEARTBEAT = 2
NOTICED = 2 * (HEARTBEAT + 5) + 5.0
"""Seconds within which a line that hears nothing is given up: pika looks after the heartbeat and
five seconds, and may have looked just before it fell silent."""
SILENCE = 3
"""Seconds of silence after which /healthz is to turn red, here."""
SHORT = 3.0
"""Seconds that a mode lasts which the connections survive."""

ReachedBy = Callable[[Settings, int], dict[str, str]]


def broker_at(near: Settings, port: int) -> dict[str, str]:
    """The settings of services that reach their broker at another port."""
    parts = urlsplit(near.broker_url)
    netloc = f"{parts.username}:{parts.password}@{parts.hostname}:{port}"
    return {
        "BROKER_URL": urlunsplit(parts._replace(netloc=netloc)),
        "BROKER_HEARTBEAT_SECONDS": str(HEARTBEAT),
        "BROKER_SILENCE_SECONDS": str(SILENCE),
    }


def databases_at(near: Settings, port: int) -> dict[str, str]:
    """The settings of services that reach their databases at another port."""
    parts = urlsplit(near.database_url)
    netloc = f"{parts.username}:{parts.password}@{parts.hostname}:{port}"
    return {"DATABASE_URL": urlunsplit(parts._replace(netloc=netloc))}


@contextmanager
def behind_proxy(near: Settings, address: str, reached_by: ReachedBy) -> Iterator[Stage]:
    target = make_url(address)
    assert target.host is not None
    assert target.port is not None
    with ExitStack() as stack:
        proxy = stack.enter_context(Proxy(target.host, target.port))
        stage = stack.enter_context(on_stage(near, reached_by=reached_by(near, proxy.port)))
        stage.proxy = proxy
        yield stage


@pytest.fixture
def before_broker(ground: Settings) -> Iterator[Stage]:
    """Services that reach their broker through a proxy; the website does not."""
    with behind_proxy(ground, ground.broker_url, broker_at) as stage:
        yield stage


@pytest.fixture
def before_databases(ground: Settings) -> Iterator[Stage]:
    """Services that reach their databases through a proxy; the test does not."""
    with behind_proxy(ground, ground.database_url, databases_at) as stage:
        yield stage


def test_the_broker_is_cut_off_again_and_again(before_broker: Stage, note: Note) -> None:
    # When every connection to the broker is reset, ten times, under load
    for _ in range(10):
        before_broker.proxy.reset()
        before_broker.flowing(3)
    # Then everything goes on, and nothing is lost or doubled
    seconds = before_broker.recovered()
    note("broker: connections reset, ten times", before_broker.ledger(), seconds)


@pytest.mark.parametrize("mode", ["black_hole", "half_open"])
def test_the_broker_falls_silent_without_hanging_up(
    before_broker: Stage, note: Note, mode: str
) -> None:
    stage, proxy = before_broker, before_broker.proxy
    assert stage.alive()
    # When nothing comes through any more, and nobody hangs up
    before = proxy.accepted
    getattr(proxy, mode)()
    # Then liveness turns red after the bound, and the silent connections are given up
    red_after = within(SILENCE + HEARTBEAT + 5, lambda: not stage.alive(), "liveness is red")
    assert red_after > SILENCE - HEARTBEAT
    noticed = within(NOTICED, lambda: proxy.accepted > before, "the services try again")
    # And when the network is back, so is liveness, and nothing is lost or doubled
    proxy.passing()
    within(30, stage.alive, "liveness is green")
    seconds = stage.recovered()
    note(f"broker: {mode}, noticed after {noticed:.0f} s", stage.ledger(), seconds)


def test_a_short_silence_of_the_broker_is_no_reason_to_restart(
    before_broker: Stage, note: Note
) -> None:
    stage = before_broker
    before = stage.proxy.accepted
    # When the network holds everything up for a moment
    stage.proxy.black_hole()
    time.sleep(HEARTBEAT / 2)
    # Then the process lives on the connections that it has
    assert stage.alive()
    stage.proxy.passing()
    seconds = stage.recovered()
    assert stage.proxy.accepted == before
    note("broker: silent for a second", stage.ledger(), seconds)


def test_the_broker_is_slow_to_reach(before_broker: Stage, note: Note) -> None:
    # When everything to and from the broker takes a tenth of a second
    before_broker.proxy.latency(0.1)
    # Then everything goes on meanwhile, and nothing is lost or doubled
    seconds = before_broker.recovered()
    note("broker: latency of 0.1 s", before_broker.ledger(), seconds)


def test_the_broker_comes_in_a_trickle(before_broker: Stage, note: Note) -> None:
    stage = before_broker
    # When hardly anything comes through, for longer than a confirm is waited for
    stage.proxy.trickle(200)
    time.sleep(40)
    # Then everything goes on afterwards, and nothing is lost or doubled
    stage.proxy.passing()
    seconds = stage.recovered()
    note("broker: 200 bytes a second for 40 s", stage.ledger(), seconds)


def test_the_databases_are_cut_off_again_and_again(before_databases: Stage, note: Note) -> None:
    stage = before_databases
    # When every connection to the databases is reset, ten times, under load
    for _ in range(10):
        stage.proxy.reset()
        stage.flowing(3)
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("database: connections reset, ten times", stage.ledger(), seconds)


def test_the_databases_are_held_up_for_a_moment(before_databases: Stage, note: Note) -> None:
    stage = before_databases
    # When nothing comes through for a few seconds, and then all of it
    stage.proxy.black_hole()
    time.sleep(SHORT)
    stage.proxy.passing()
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note(f"database: black hole of {SHORT:.0f} s", stage.ledger(), seconds)


@pytest.mark.faults
def test_the_databases_hang_up_and_the_services_are_not_told(
    before_databases: Stage, note: Note
) -> None:
    stage = before_databases
    # When the server has hung up, and the services wait for an answer that will never come
    stage.proxy.half_open()
    time.sleep(SHORT)
    stage.proxy.passing()
    # Then they give up after a bounded time, and nothing is lost or doubled
    seconds = stage.recovered()
    note("database: half open", stage.ledger(), seconds)


def test_the_databases_are_slow_to_reach(before_databases: Stage, note: Note) -> None:
    # When everything to and from the databases takes some milliseconds
    before_databases.proxy.latency(0.02)
    # Then everything goes on meanwhile, and nothing is lost or doubled
    seconds = before_databases.recovered()
    note("database: latency of 0.02 s", before_databases.ledger(), seconds)


def test_the_databases_come_in_a_trickle(before_databases: Stage, note: Note) -> None:
    stage = before_databases
    # When hardly anything comes through for a while
    stage.proxy.trickle(2000)
    time.sleep(15)
    # Then everything goes on afterwards, and nothing is lost or doubled
    stage.proxy.passing()
    seconds = stage.recovered()
    note("database: 2,000 bytes a second for 15 s", stage.ledger(), seconds)
