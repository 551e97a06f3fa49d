"""Each service on both databases, with the tables of one that has been at work for long."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from infra.composition import build_service, publisher_rules, senders
from shared.events.envelope import CONTENT_TYPE
from shared.host.runtime import Runtime, utc_now
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
from shared.processing.testing import RecordingBus
from shared.web.app import create_app
from tests.integration.plans import stock
from tests.scopes import token_for
from tests.servers.postgres import MakeDatabase

KEPT = {"sqlite": 2_000, "postgresql": 20_000}


class Veteran:
    """One service with many rows, without its threads: the test says what comes."""

    def __init__(self, name: str, url: str, folder: Path) -> None:
        settings = Settings(database_url=url, data_dir=folder, log_level="error")
        service = build_service(name, settings)
        self.ahead = timedelta()
        rules = publisher_rules(settings)
        self.runtime = Runtime(
            service, settings, RecordingBus(), senders(settings), rules, self._now
        )
        self.engine = self.runtime.database.engine
        self._key = settings.signing_key()
        if service.at_start:
            service.at_start(self.runtime)
        self._app = create_app([service.router(self.runtime)], token_key=self._key)

    def _now(self) -> datetime:
        return utc_now() + self.ahead

    @property
    def tables(self) -> set[str]:
        """The tables that grow with every customer."""
        return {model.__tablename__ for model, _ in stock.tables(self.runtime.service.name)}

    def hear(self, event_type: str, subject: str | None = None, **data: Any) -> str:
        """An event comes, as the contract's example has it but for this; its subject."""
        document = stock.golden(event_type)
        document |= {"id": str(uuid4()), "subject": subject or str(uuid4())}
        document["data"] |= data
        body = json.dumps(document).encode()
        self.runtime.engine.take([Incoming(body, event_type, CONTENT_TYPE)])
        return str(document["subject"])

    def ask(
        self, method: str, path: str, *codes: int, office: str | None = None, json: Any = None
    ) -> httpx.Response:
        """Somebody calls, who may do anything; one of these answers is expected."""
        token = token_for(self._key, office=office)

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                headers = {"Authorization": f"Bearer {token}"}
                return await client.request(method, path, json=json, headers=headers)

        answer = asyncio.run(call())
        assert answer.status_code in (codes or (200, 202)), answer.text
        return answer

    def pages(self, path: str, office: str | None = None) -> Iterator[list[dict[str, Any]]]:
        """Page after page of a list, by the `Link` of each."""
        while path:
            answer = self.ask("GET", path, office=office)
            yield answer.json()
            path = answer.links.get("next", {}).get("url", "")


MakeVeteran = Callable[[str], Veteran]


@cache
def past(name: str) -> Callable[[str], None]:
    """Gives a database its service's schema, and the rows of a long life."""

    def prepare(url: str) -> None:
        database = Database(url)
        upgrade(database, build_service(name, Settings()).migrations)
        stock.stock(database.engine, name, KEPT[database.engine.dialect.name])
        if not database.is_sqlite:
            plain = database.engine.execution_options(isolation_level="AUTOCOMMIT")
            with plain.connect() as connection:
                connection.execute(text("VACUUM ANALYZE"))
        database.close()

    return prepare


@pytest.fixture(params=["sqlite", "postgresql"])
def veteran(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeVeteran]:
    """Makes a service of this name that has been at work for long."""
    veterans: list[Veteran] = []

    def make(name: str) -> Veteran:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/{name}.db"
            past(name)(url)
        else:
            make_database: MakeDatabase = request.getfixturevalue("make_database")
            url = make_database(name, past(name))
        veterans.append(Veteran(name, url, tmp_path))
        return veterans[-1]

    yield make
    for veteran in veterans:
        veteran.runtime.database.close()
