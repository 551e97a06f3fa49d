"""Whose fault a database error is: nobody's, the database's, or that of the message in hand."""

from enum import Enum
from functools import partial

from sqlalchemy import Engine, ExceptionContext, event
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from shared.base.errors import InfrastructureDown


class Trouble(Enum):
    """Whose fault a database error is."""

    CONTENTION = "contention"
    """Two transactions were in each other's way: the same work simply runs again."""
    DOWN = "down"
    """The database is away: wait, and blame no message."""
    MESSAGE = "message"
    """The statement itself is at fault, and so the message that led to it."""


CONTENTION_STATES = ("40001", "40P01", "55P03")
STATEMENT_STATES = ("54",)
"""Limits that one statement exceeds (PostgreSQL appendix A, class 54)."""
SESSION_STATES = ("08P01", "26000", "34000", "42P05")
"""What a session says that is not the one we spoke to before, as behind a pooler: a breach of the
protocol, a prepared statement or a cursor that is not there, or is there already. PgBouncer's own
errors are 08P01, too."""
HOUSE_STATES = ("42501", "XX001", "XX002")
"""What is wrong with the database itself, whatever it is asked: a right that somebody took away,
damaged data or a damaged index."""
DAMAGED_FILE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
"""The same of a database that is a file."""
ADDRESS = "_database_address"
"""Kept on an error itself: where it becomes a sentence, nobody has the database in hand."""


def diagnose(error: BaseException) -> Trouble:
    """Tell contention, an absent database and a faulty statement apart."""
    if isinstance(error, InfrastructureDown):
        return Trouble.DOWN  # Somebody has told them apart already.
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    if isinstance(error, IntegrityError | StaleDataError) or state in CONTENTION_STATES:
        return Trouble.CONTENTION
    if isinstance(error, DBAPIError) and state.startswith(STATEMENT_STATES):
        return Trouble.MESSAGE
    away = isinstance(error, OperationalError | InterfaceError | PoolTimeout)
    away = away or state in SESSION_STATES or is_unfit(error)
    if away or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return Trouble.DOWN
    return Trouble.MESSAGE


def is_unfit(error: BaseException) -> bool:
    """Whether the database is there, and cannot work until somebody mends it."""
    original = getattr(error, "orig", None)
    # What follows in the name says which part of it is damaged.
    is_damaged = (getattr(original, "sqlite_errorname", None) or "").startswith(DAMAGED_FILE)
    return is_damaged or getattr(original, "sqlstate", None) in HOUSE_STATES


def note_address(engine: Engine, url: str) -> None:
    """Have each error of this engine tell `address_of` where it came from."""
    event.listen(engine, "handle_error", partial(_note, url))


def address_of(error: BaseException) -> str | None:
    """The address, with its password, of the database that an error came from, if it is known."""
    return getattr(error, ADDRESS, None)


def _note(url: str, context: ExceptionContext) -> None:
    if context.sqlalchemy_exception is not None:
        setattr(context.sqlalchemy_exception, ADDRESS, url)


def in_words(error: BaseException) -> str:
    """What a database error is, in one line, with what the database itself says of it."""
    lines = str(getattr(error, "orig", None) or "").strip().splitlines()
    return ": ".join((type(error).__name__, *lines[:1]))
