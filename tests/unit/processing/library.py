"""A small library, whose books the tests of loading look for."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import MetaData
from sqlmodel import Field, SQLModel

from shared.events.envelope import Envelope
from shared.messaging.bus import Incoming
from shared.persistence.entity import Entity
from shared.processing import Command, Load, Message
from shared.processing.handlers.loading import Fetch

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Shelf(Entity):
    metadata = MetaData()


class Book(Shelf, table=True):
    """One book: found by its title, its reader or its place."""

    onboarding_id: str = Field(primary_key=True)
    title: str = ""
    reader: str | None = None
    place: int = 0


class Reader(Shelf, table=True):
    """Who has borrowed it."""

    onboarding_id: str = Field(primary_key=True)
    name: str = ""


class Lend(Command):
    """Somebody takes a book home."""

    command_type: ClassVar[str] = "book.lend"

    title: str
    reader: str | None = None


def books(*titles: str) -> list[Book]:
    return [Book(onboarding_id=f"b{number}", title=title) for number, title in enumerate(titles)]


def keys(rows: list[Book]) -> list[str]:
    return [row.onboarding_id for row in rows]


def lend(title: str, reader: str | None = None, subject: str = "b0") -> Message:
    envelope = Envelope(f"lend {title}", "/test", Lend.command_type, subject, NOW)
    return Message(envelope, Lend(title=title, reader=reader), Incoming(b"", ""))


class Unwatched:
    """Nobody watches over the handlers."""

    message: Message | None = None

    def end(self) -> None: ...


def each(find: Callable[[Load], Iterable[SQLModel]]) -> Fetch:
    """What finds the same for a load whatever its keys."""
    return lambda wanted: [find(load) for load, _ in wanted]
