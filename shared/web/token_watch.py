"""What a process knows of the tokens that were made: looked up again every few seconds."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.base.errors import InfrastructureDown, Unavailable
from shared.persistence.database import Database
from shared.processing.store import tokens
from shared.processing.store.tables import Token
from shared.processing.worker.periodic import PeriodicTask
from shared.web.auth import Grant
from shared.web.token_reading import RefusedToken

log = structlog.get_logger()

LOOK_SECONDS = 2.0
"""How soon a token that was revoked is refused, at most, while a database answers."""

BLIND_SECONDS = 60.0
"""How long what was seen last counts while no database answers; after that no token does."""

WARNED_BEFORE = timedelta(days=14)
"""How long before a token that is in use expires whoever runs the process is told."""


class TokenWatch:
    """Which tokens were revoked, and which of those in use expire soon.

    Each of the databases has every token, so that one that answers is enough.
    """

    def __init__(
        self,
        databases: Sequence[Database],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._databases = databases
        self._clock = clock
        self._seconds = seconds
        self._seen_at = -BLIND_SECONDS
        self._listed: dict[str, Token] = {}
        self._revoked: frozenset[str] = frozenset()
        self._used: set[str] = set()
        self._warned: dict[str, datetime] = {}

    def start(self) -> PeriodicTask:
        """Look, and again and again from now on; returns the thread that does."""
        self.look()
        task = self.task()
        task.start()
        return task

    def task(self) -> PeriodicTask:
        """The thread that looks again and again."""
        return PeriodicTask("token-watch", self.look, every=LOOK_SECONDS)

    def look(self) -> int:
        """Look what has been made and revoked; returns 0, since nothing is left to do at once."""
        revoked: set[str] = set()
        answered = False
        for database in self._databases:
            try:
                rows = self._look_into(database)
            except (SQLAlchemyError, InfrastructureDown):
                continue  # What it said last still holds; it says so itself when it is away.
            answered = True
            self._listed |= {row.id: row for row in rows}
            revoked |= {row.id for row in rows if row.revoked_at is not None}
        # One that was revoked stays so: what a database that is away had said is not forgotten.
        self._revoked |= revoked
        if answered:
            self._seen_at = self._seconds()
        self._warn()
        return 0

    def check(self, grant: Grant) -> None:
        """Let a token through that was not revoked.

        Raises:
            RefusedToken: it was revoked.
            Unavailable: for too long no database has said which tokens were.
        """
        if grant.id in self._revoked:
            raise RefusedToken(
                "token_revoked", "This token was ended; ask for a new one.", grant.id
            )
        if self._seconds() - self._seen_at > BLIND_SECONDS:
            raise Unavailable("try_later", "The database is away for a moment; please try again.")
        if grant.id in self._listed:
            self._used.add(grant.id)

    def _look_into(self, database: Database) -> Sequence[Token]:
        now = self._clock()
        with database.read() as session:
            rows = tokens.listed(session, valid_after=now - timedelta(days=1))
        used = [row.id for row in rows if row.id in self._used and _use_is_old(row, now)]
        if used:
            # A database that only lets itself be read has answered all the same.
            with suppress(SQLAlchemyError, InfrastructureDown), database.begin() as session:
                tokens.note_use(session, used, now)
        return rows

    def _warn(self) -> None:
        """Say once a day which of the tokens that this process was shown expire soon."""
        now = self._clock()
        for token_id in tuple(self._used):  # Requests add to it meanwhile.
            expires_at = self._listed[token_id].expires_at
            warned = self._warned.get(token_id)
            soon = now < expires_at <= now + WARNED_BEFORE and token_id not in self._revoked
            if soon and (warned is None or now - warned >= timedelta(days=1)):
                self._warned[token_id] = now
                log.warning(
                    "token_expires_soon", token_id=token_id, expires_at=expires_at.isoformat()
                )


def _use_is_old(row: Token, now: datetime) -> bool:
    return row.last_used_at is None or now - row.last_used_at >= tokens.USE_NOTED_EVERY
