"""A database that takes no writes is away: it waits, nobody is blamed, and then all get through.

So is a server that was demoted in a failover, or whose keeper saw its disk fill up.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import httpx
import psycopg
import pytest
from fastapi import APIRouter, FastAPI
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from shared.base.errors import InfrastructureDown
from shared.host.requests import WriteContext
from shared.persistence.database import Trouble, diagnose
from shared.processing import Person
from shared.processing.store.tables import DONE, WAITING
from shared.processing.testing import RecordingBus
from shared.processing.worker.consumer import Consumer
from shared.processing.worker.threads import StoppableThread
from shared.web.app import create_app
from tests.integration.processing.conftest import on_postgresql
from tests.integration.processing.tally import (
    MENDED,
    Remind,
    Replica,
    customer,
    message_id,
    release,
)
from tests.servers.premises import wait_until

SetReadOnly = Callable[[bool], None]

pytestmark = on_postgresql


@pytest.fixture
def set_read_only(url: str) -> SetReadOnly:
    """Switches every connection from now on, and cuts those there are when it goes on."""
    address = make_url(url).set(drivername="postgresql")
    name = sql.Identifier(address.database or "")
    outside = address.set(database="postgres").render_as_string(hide_password=False)

    def switch(on: bool) -> None:
        word = sql.SQL("on" if on else "off")
        setting = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(outside, autocommit=True) as connection:
            connection.execute(setting.format(name, word))
            if on:
                connection.execute(cut, [address.database])

    return switch


def test_messages_that_come_meanwhile_are_not_blamed_and_get_through(
    replica: Replica, set_read_only: SetReadOnly
) -> None:
    # Given a message that waits for its next try,
    replica.take(release("kapper", "broken-1"))
    MENDED.add("broken-1")
    before = replica.inbox()
    # When the database takes no writes, and others come,
    set_read_only(True)
    with pytest.raises(InfrastructureDown):
        replica.take(release("bakkerij"), release("slager", redelivered=True))
    replica.now = max(row.due_at for row in before.values() if row.due_at)
    for task in (replica.run_due, replica.sweep, replica.runtime.tasks.clean):
        with suppress(InfrastructureDown):
            task()
    # Then nothing is counted against any of them.
    assert replica.inbox() == before
    assert before[message_id("kapper")].status == WAITING
    # When it takes writes again, Then all get through: every connection there was is cut.
    set_read_only(False)
    patient = StoppableThread("patient")
    patient.retry_while_down(
        lambda: replica.take(release("bakkerij"), release("slager", redelivered=True))
    )
    patient.retry_while_down(replica.run_due)
    assert set(replica.tallies()) == {customer(name) for name in ("kapper", "bakkerij", "slager")}
    assert {row.status for row in replica.inbox().values()} == {DONE}


def test_the_thread_that_consumes_waits_for_it(
    replica: Replica, set_read_only: SetReadOnly
) -> None:
    # Given a thread that gets a batch while the database takes no writes,
    set_read_only(True)
    bus = RecordingBus()
    bus.deliveries = [[release("bakkerij"), release("slager")]]
    thread = Consumer("tally", bus, replica.runtime.engine)
    thread.start()
    # When it meets that, Then it waits, as for a database that is away;
    wait_until(lambda: thread.paused, "it is paused")
    assert (thread.is_alive(), bus.acknowledged) == (True, [])
    # and deals with the batch when it can.
    set_read_only(False)
    wait_until(lambda: len(bus.acknowledged) == 2, "the batch is dealt with", 30)
    thread.stop()
    thread.join(10)
    assert replica.tallies() == {customer("bakkerij"): 1, customer("slager"): 1}


async def answer_of(app: FastAPI, path: str) -> httpx.Response:
    straight = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=straight, base_url="http://localhost") as caller:
        return await caller.post(path)


def test_a_person_is_told_to_try_again(replica: Replica, set_read_only: SetReadOnly) -> None:
    # Given routes that handle a command, and that write by themselves, as a log-in does,
    router = APIRouter()
    runtime = replica.runtime

    def forget_reminders(context: WriteContext) -> None:
        context.session.execute(text("UPDATE tally SET reminders = 0"))

    @router.post("/handled")
    def handled() -> None:
        runtime.handle(Remind(), subject=customer("bakkerij"), by=Person("anna"))

    @router.post("/written")
    def written() -> None:
        runtime.write(forget_reminders, subject=customer("bakkerij"), by=Person("anna"))

    app = create_app([router], token_key="k" * 32)
    # When the database takes no writes, Then both say so, and blame nobody.
    set_read_only(True)
    answers = [asyncio.run(answer_of(app, path)) for path in ("/handled", "/written")]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (503, "try_later")
    ] * 2


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ("25006", Trouble.DOWN),
        ("26000", Trouble.DOWN),
        ("42P05", Trouble.DOWN),
        ("08P01", Trouble.DOWN),
        ("34000", Trouble.DOWN),
        ("08006", Trouble.DOWN),
        ("53100", Trouble.DOWN),
        ("53200", Trouble.DOWN),
        ("53300", Trouble.DOWN),
        ("57P01", Trouble.DOWN),
        ("57P02", Trouble.DOWN),
        ("57P03", Trouble.DOWN),
        ("58030", Trouble.DOWN),
        ("42501", Trouble.DOWN),
        ("XX001", Trouble.DOWN),
        ("XX002", Trouble.DOWN),
        ("40001", Trouble.CONTENTION),
        ("40P01", Trouble.CONTENTION),
        ("55P03", Trouble.CONTENTION),
        ("22P02", Trouble.MESSAGE),
        ("42P01", Trouble.MESSAGE),
        ("54000", Trouble.MESSAGE),
    ],
)
def test_whose_fault_it_is_is_told_by_the_servers_own_state(
    replica: Replica, state: str, trouble: Trouble
) -> None:
    raising = text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")
    with pytest.raises(DBAPIError) as raised, replica.database.begin() as session:
        session.execute(raising)
    assert diagnose(raised.value) is trouble
