"""The clear password of an activation is found nowhere but in the one message."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import MetaData, select

from infra.demo.demonstration import PASSWORD, Demonstration
from infra.demo.simulators import website
from shared.messaging.bus import EXCHANGE
from tests.e2e.stage import Stage


@pytest.fixture(scope="module")
def logged() -> Iterator[list[str]]:
    """Everything that this process logs from now on, down to the smallest detail."""
    lines: list[str] = []

    def keep(_logger: object, _name: str, event: structlog.types.EventDict) -> str:
        lines.append(repr(event))
        return ""

    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, keep],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    yield lines
    structlog.configure(**before)


Overheard = Callable[[], list[bytes]]


@pytest.fixture(scope="module")
def overheard(stage: Stage) -> Iterator[Overheard]:
    """Every message that passes RabbitMQ, by a queue that hears all; the embedded bus has none."""
    if stage.settings.embedded:
        yield list
        return
    import pika  # noqa: TID251 - an eavesdropper uses the broker as it comes.

    connection = pika.BlockingConnection(pika.URLParameters(stage.settings.broker_url))
    channel = connection.channel()
    channel.queue_declare("eavesdropper")
    channel.queue_bind("eavesdropper", EXCHANGE, "#")

    def fetch() -> list[bytes]:
        gotten = iter(lambda: channel.basic_get("eavesdropper", auto_ack=True)[2], None)
        return list(gotten)

    yield fetch
    connection.close()


@pytest.fixture(scope="module")
def passwords(stage: Stage, logged: list[str], overheard: Overheard) -> list[str]:
    """The passwords of customers who were activated, by e-mail and by text message."""
    shown = Demonstration(stage.addresses, stage.key, stage.settings.data_dir, stage.king)
    shown.emit(stage.line, website.examples()[:4])
    shown.play(lambda *_: None, patience=20)
    assert shown.underway == []
    words = (letter.read_text(encoding="utf-8") for letter in messages(stage))
    return [match.group(1) for text in words for match in PASSWORD.finditer(unfolded(text))]


def messages(stage: Stage) -> list[Path]:
    """The messages with credentials, and no others."""
    folder = stage.settings.data_dir
    return [*folder.glob("sms/*.txt"), *folder.glob("mail/*-credentials-*.eml")]


def unfolded(text: str) -> str:
    return text.replace("=\n", "")


def traces(password: str) -> list[bytes]:
    """The ways in which a password could be written down: with hyphens, without, in capitals."""
    bare = password.replace("-", "")
    return [form.encode() for form in (password, bare, password.upper(), bare.upper())]


def test_there_are_passwords_to_look_for(passwords: list[str]) -> None:
    # Given four customers who have been activated, Then each got a password of his own.
    assert len(set(passwords)) == 4


def test_no_database_holds_a_password(stage: Stage, passwords: list[str]) -> None:
    # Given everything that stands in every table of every service, outbox and inbox among them,
    rows = list(all_rows(stage))
    assert len(rows) > 50
    # When it is searched, Then no password is in it.
    assert [password for password in passwords for row in rows if holds(row, password)] == []


def test_no_file_holds_a_password_but_the_one_message(stage: Stage, passwords: list[str]) -> None:
    # Given every file in the data folder: databases and their journals, mails, texts, logs,
    files = [file for file in stage.settings.data_dir.rglob("*") if file.is_file()]
    # When they are searched for each password,
    for password in passwords:
        holders = {file for file in files if holds(unfolded_bytes(file), password)}
        # Then exactly one holds it: the message to the customer.
        assert len(holders) == 1
        assert holders < set(messages(stage))


def test_no_log_line_holds_a_password(
    stage: Stage, passwords: list[str], logged: list[str]
) -> None:
    # Given all that was logged, down to the smallest detail,
    lines = [line.encode() for line in logged]
    if stage.log.exists():
        lines.append(stage.log.read_bytes())
    assert lines
    # When it is searched, Then no password is in it.
    assert [password for password in passwords for line in lines if holds(line, password)] == []


def test_no_event_holds_a_password(
    stage: Stage, passwords: list[str], overheard: Overheard
) -> None:
    # Given every message that passed the broker,
    bodies = overheard()
    # When they are searched, Then no password is in one.
    assert stage.settings.embedded or bodies
    assert [password for password in passwords for body in bodies if holds(body, password)] == []


def all_rows(stage: Stage) -> Iterator[bytes]:
    for database in stage.databases().values():
        tables = MetaData()
        tables.reflect(database.engine)
        with database.engine.connect() as connection:
            for table in tables.tables.values():
                for row in connection.execute(select(table)):
                    yield repr(tuple(row)).encode()
        database.close()


def holds(text: bytes, password: str) -> bool:
    return any(trace in text for trace in traces(password))


def unfolded_bytes(path: Path) -> bytes:
    return re.sub(rb"=\r?\n", b"", path.read_bytes())
