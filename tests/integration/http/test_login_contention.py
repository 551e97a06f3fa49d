"""A log-in that meets another transaction is run again, and the customer notices nothing."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Connection, event, select, text
from sqlmodel import col

from infra.run.http_server import HttpServer
from infra.run.runtimes import BusFactory, build_runtimes
from services.activation.login import passwords
from services.activation.models import SENT, Activation
from shared.events import CustomerLoggedIn
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.persistence.schema import upgrade
from shared.processing.store.tables import Outbox
from shared.web.app import create_app
from tests.servers.postgres import MakeDatabase

PASSWORD = "vier paarden drinken thee"
NAME = "bakkerij"
OTHER = "slagerij"
LOCK = text("SELECT 1 FROM activation WHERE login_name = :name FOR UPDATE").bindparams(name=OTHER)


@pytest.fixture
def runtime(make_database: MakeDatabase, tmp_path: Path) -> Iterator[Runtime]:
    """Activation on PostgreSQL, with two customers who have chosen their passwords."""
    settings = Settings(database_url=make_database("activation"), data_dir=tmp_path)
    (runtime,) = build_runtimes(settings, BusFactory(settings), ["activation"])
    upgrade(runtime.database, runtime.service.migrations)
    with runtime.database.begin() as session:
        session.add_all([activated(NAME), activated(OTHER)])
    yield runtime
    runtime.database.close()


def activated(name: str) -> Activation:
    """A customer who has never logged in."""
    return Activation(
        onboarding_id=str(uuid4()),
        login_name=name,
        company=name.capitalize(),
        state=SENT,
        own_hash=passwords.hash_own(PASSWORD),
    )


@pytest.fixture
def address(runtime: Runtime) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app([runtime.service.router(runtime)], token_key="k" * 40)
    server = HttpServer(app, listening)
    server.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.stop(30.0)


class Contention:
    """Has a log-in meet a lock that another transaction holds, so many times."""

    def __init__(self, runtime: Runtime, times: int) -> None:
        self.left = times
        self.tries = 0
        event.listen(runtime.database.engine, "after_cursor_execute", self._meet)

    def _meet(self, connection: Connection, *call: Any) -> None:
        _cursor, statement, parameters, *_ = call
        if "FOR UPDATE" not in statement or NAME not in dict(parameters or {}).values():
            return
        self.tries += 1
        if self.left:
            self.left -= 1
            connection.exec_driver_sql("SET LOCAL lock_timeout = '20ms'")
            connection.execute(LOCK)


def log_in(address: str) -> httpx.Response:
    body: dict[str, Any] = {"login_name": NAME, "password": PASSWORD}
    return httpx.post(f"{address}/api/login", json=body, timeout=30)


def times_said(runtime: Runtime) -> int:
    """How many events say that a customer has logged in."""
    with runtime.reading() as session:
        logged_in = col(Outbox.type) == CustomerLoggedIn.event_type
        return len(session.execute(select(Outbox).where(logged_in)).all())


@pytest.mark.parametrize("times", [1, 3])
def test_a_login_that_meets_a_lock_is_run_again_and_said_once(
    runtime: Runtime, address: str, times: int
) -> None:
    # Given another transaction that holds what the log-in wants as well, for its first tries,
    contention = Contention(runtime, times)
    with runtime.database.begin() as other:
        other.execute(LOCK)
        # When the customer logs in,
        answer = log_in(address)
    # Then they are in, and it was said once, however often it was tried.
    assert answer.status_code == 200, answer.text
    assert contention.tries == times + 1
    assert times_said(runtime) == 1
    with runtime.reading() as session:
        (row,) = session.execute(select(Activation).where(col(Activation.login_name) == NAME))
        assert (row[0].wrong_tries, row[0].first_login_at is not None) == (0, True)


def test_a_login_that_never_gets_through_has_changed_nothing(
    runtime: Runtime, address: str
) -> None:
    # Given another transaction that stays in its way,
    Contention(runtime, 100)
    with runtime.database.begin() as other:
        other.execute(LOCK)
        # When the customer logs in, Then nothing is changed and nothing was said.
        assert log_in(address).status_code == 503
    assert times_said(runtime) == 0
