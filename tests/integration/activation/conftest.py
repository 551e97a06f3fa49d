"""Activation at work on SQLite and on PostgreSQL, without its threads: the test says what comes."""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.composition import publisher_rules
from services.activation.api import router
from services.activation.checklist import Checklist, checklist
from services.activation.commands import ActivateCustomer, ResendCredentials
from services.activation.login.entry import Entry
from services.activation.login.limits import Limits
from services.activation.login.log_in import LoggedIn, change_password, log_in
from services.activation.models import Activation
from services.activation.service import build
from shared.events.envelope import CONTENT_TYPE, Envelope
from shared.events.event import Event
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.notifications.senders.outgoing import Email, OutgoingMessage
from shared.notifications.senders.protocol import Senders
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
from shared.processing import Command, Person
from shared.processing.testing import MONDAY, RecordingBus, onboarding
from shared.web.app import create_app
from tests.integration.activation.hashing import hashed_at_once
from tests.scopes import token_for
from tests.servers.postgres import MakeDatabase
from tests.unit.activation.harness import WAY

PASSWORD = re.compile(r"\b[2-9a-hj-km-np-z]{4}(?:-[2-9a-hj-km-np-z]{4}){3}\b")
ANNA = "anna"
HOME = "192.0.2.7"
ACTIVATE = ActivateCustomer(channel="email", by=ANNA)
RESEND = ResendCredentials(by=ANNA)


class Post:
    """A mail service that keeps what it is given, or raises what it is told to."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.sent: list[Email] = []

    def send(self, message: OutgoingMessage) -> str:
        if self.trouble:
            raise self.trouble
        assert isinstance(message, Email)
        self.sent.append(message)
        return f"provider-{len(self.sent)}"


class Practice:
    """One process of activation."""

    def __init__(self, url: str, folder: Path, **settings_of_its_own: Any) -> None:
        self.now = MONDAY
        self.post = Post()
        given = {"credentials_hours": 72} | settings_of_its_own
        settings = Settings(database_url=url, data_dir=folder, **given)
        self.runtime = Runtime(
            build(settings),
            settings,
            RecordingBus(),
            Senders(self.post, self.post),
            publisher_rules(settings),
            self.clock,
        )
        self.limits = Limits()

    def clock(self) -> datetime:
        return self.now

    def log_in(self, login_name: str, password: str, address: str = HOME) -> LoggedIn:
        """Somebody types a login name and a password."""
        return log_in(self.runtime, Entry.of(login_name, password, address), self.limits)

    def change_password(self, login_name: str, current: str, new: str) -> None:
        """The customer chooses a password."""
        change_password(self.runtime, Entry.of(login_name, current, HOME), new, self.limits)

    def hear(self, *events: Event, about: str = "bakkerij") -> None:
        """These events come in, one after the other."""
        for event in events:
            self.now += timedelta(minutes=1)
            data = event.model_dump(mode="json", exclude_none=True)
            kind, subject = event.event_type, onboarding(about)
            source = f"/services/{event.said_by}"
            envelope = Envelope(str(uuid4()), source, kind, subject, self.now, data)
            self.runtime.engine.take([Incoming(envelope.to_bytes(), kind, CONTENT_TYPE)])

    def ask(self, command: Command, about: str = "bakkerij") -> None:
        """Somebody of the office asks for something."""
        self.runtime.handle(command, subject=onboarding(about), by=Person(ANNA))

    def deliver(self) -> list[str]:
        """What is due is sent; which kinds of mail have left."""
        before = len(self.post.sent)
        self.runtime.sender.deliver_due()
        return [mail.kind for mail in self.post.sent[before:]]

    def credentials(self) -> tuple[str, str]:
        """What is due is sent; login name and password of the credentials that left."""
        assert "credentials" in self.deliver()
        mail = [mail for mail in self.post.sent if mail.kind == "credentials"][-1]
        (password,) = PASSWORD.findall(mail.text)
        return str(self.customer().login_name), password

    def customer(self, about: str = "bakkerij") -> Activation:
        with self.runtime.reading() as session:
            return session.get_one(Activation, onboarding(about))

    def get(self, path: str) -> Any:
        """What an onlooker who may see everything is answered."""
        key = self.runtime.settings.signing_key()
        app = create_app([router(self.runtime)], token_key=key)

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                headers = {"Authorization": f"Bearer {token_for(key)}"}
                return await client.get(path, headers=headers)

        return asyncio.run(call()).raise_for_status().json()

    def checklist(self) -> Checklist:
        """Where the customer stands."""
        return checklist(self.customer(), self.now)


MakePractice = Callable[[], Practice]


@pytest.fixture(autouse=True)
def quick_passwords() -> Iterator[None]:
    """What a hash costs is tried elsewhere."""
    with hashed_at_once():
        yield


def migrated(url: str) -> None:
    """Give an empty database activation's schema."""
    database = Database(url)
    upgrade(database, build(Settings()).migrations)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def make_practice(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakePractice]:
    """Each call is one more process on the same database."""
    practices: list[Practice] = []
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/activation.db"
    else:
        make: MakeDatabase = request.getfixturevalue("make_database")
        url = make("activation", migrated)

    def another() -> Practice:
        practice = Practice(url, tmp_path)
        if not practices:
            upgrade(practice.runtime.database, practice.runtime.service.migrations)
        practices.append(practice)
        return practice

    yield another
    for practice in practices:
        practice.runtime.database.close()


@pytest.fixture
def practice(make_practice: MakePractice) -> Practice:
    """A customer who is released and set up, and whose office was told so."""
    practice = make_practice()
    practice.hear(*WAY)
    assert practice.deliver() == ["customer_released"]
    return practice
