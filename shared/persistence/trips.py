"""Statements that travel together: what nobody waits for goes along with what somebody does.

A trip to PostgreSQL and back costs a lone message more than what most of its statements do there.
So a statement whose answer nobody needs waits for the next one, or for the commit, and all of them
go in one (libpq's pipeline mode, PostgreSQL's manual, 34.5). The server does them in their order,
and after one that fails none of the others of its trip: no COMMIT either.

They are handed to libpq here, past psycopg's cursors, which take longer than the trip does; values
and answers are still psycopg's to convert.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import count
from secrets import token_hex
from typing import Any, Protocol

from psycopg import Error, OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.generators import fetch, send
from psycopg.pq import ExecStatus, TransactionStatus

Row = tuple[Any, ...]

MOST_PREPARED = 200
"""So many statements a session remembers. The program has fewer, but some in many kinds: one for
each set of columns that are alike in a batch. What was not needed for longest is forgotten."""

AUTO = PyFormat.AUTO
DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)

QUOTED = re.compile(r'".*"', re.DOTALL)


def leave_out_values(error: Error) -> None:
    """Have an answer of the server's tell no person's data, since it is kept and logged.

    Its details quote the row or key that it is about; where data themselves are wrong (PostgreSQL
    appendix A, class 22), the message does.
    """
    told = error.diag.message_primary
    if told is not None:
        wrong_data = (error.sqlstate or "").startswith("22")
        error.args = (QUOTED.sub('"…"', told) if wrong_data else told,)


class Call:
    """A statement with its values as they travel, and later what the server said to it."""

    __slots__ = ("answer", "formats", "is_new", "name", "sql", "types", "values")

    def __init__(
        self,
        sql: bytes,
        values: Sequence[Any] | None = None,
        types: tuple[int, ...] = (),
        formats: Sequence[int] | None = None,
    ) -> None:
        self.sql = sql
        self.values = values
        self.types = types
        self.formats = formats
        self.name = b""
        self.is_new = False
        self.answer: Any = None

    def send(self, pgconn: Any) -> None:
        """Hand it to libpq; what it is prepared under is told to the server on the same trip."""
        if self.is_new:
            pgconn.send_prepare(self.name, self.sql, self.types)
        if self.name:
            pgconn.send_query_prepared(self.name, self.values, self.formats)
        else:
            pgconn.send_query_params(self.sql, self.values, self.types, self.formats)


class Line(Protocol):
    """What is asked of the connection: it is psycopg's."""

    pgconn: Any
    autocommit: bool
    prepare_threshold: int | None
    adapters: Any
    info: Any

    def wait(self, gen: Any) -> Any:
        """Wait for what the server answers, for a bounded time."""


class Trips:
    """What one connection has to tell its server, and how it goes there."""

    def __init__(self, line: Any) -> None:
        self._line: Line = line
        own = token_hex(4).encode()
        self._waiting: list[Call] = []
        self._prepared: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        # Of this line alone: should a pooler lead another one to the same session, no statement
        # is taken for another.
        self._names = (b"stappenplan_%s_%d" % (own, number) for number in count())
        self.failed = Call(b"")
        """The one that failed last."""

    @cached_property
    def _converter(self) -> Any:
        """Made when first used: how values are written is told once the connection is open."""
        return Transformer(self._line)  # type: ignore[arg-type]

    @property
    def has_waiting(self) -> bool:
        """Whether something is to go along with the next trip."""
        return bool(self._waiting)

    def post(self, sql: bytes, values: Sequence[Any]) -> None:
        """Have a statement go along with the next trip; outside a transaction it goes at once.

        Raises:
            psycopg.Error: it does not go; what becomes of it later is told by who sends it.
        """
        self._waiting.append(self._write(sql, values))
        if self._line.autocommit and self._line.pgconn.transaction_status == TransactionStatus.IDLE:
            self.send()

    def rows(self, asked: Sequence[tuple[bytes, Sequence[Any]]]) -> list[list[Row]]:
        """Ask several things at once; the rows that each finds.

        Raises:
            psycopg.Error: one of them failed, or one that waited; `failed` says which.
        """
        calls = [self._write(sql, values) for sql, values in asked]
        self._waiting += calls
        self.send()
        return [self._rows_of(call) for call in calls]

    def count(self, sql: bytes, values: Sequence[Any]) -> int:
        """Do something now; how many rows it was about.

        Raises:
            psycopg.Error: it failed, or one that waited; `failed` says which.
        """
        call = self._write(sql, values)
        self._waiting.append(call)
        self.send()
        return int(call.answer.command_tuples or 0)

    def commit(self) -> None:
        """Commit on the same trip as what waits.

        Raises:
            psycopg.Error: one of them failed, or the commit; nothing is committed.
        """
        self._waiting.append(Call(b"COMMIT"))
        self.send()

    def forget(self) -> None:
        """Send nothing of what waits: its transaction is taken back."""
        self._waiting.clear()

    def send(self) -> None:
        """Send what waits, and hear what the server says to each.

        Raises:
            psycopg.Error: one of them failed; `failed` says which.
        """
        calls, self._waiting = self._waiting, []
        if not calls:
            return
        self._make_room(calls)
        pgconn = self._line.pgconn
        if not self._line.autocommit and pgconn.transaction_status == TransactionStatus.IDLE:
            calls.insert(0, Call(b"BEGIN"))
        try:
            pgconn.enter_pipeline_mode()
            for call in calls:
                self._prepare(call)
                call.send(pgconn)
            self._exchange(calls)
            pgconn.exit_pipeline_mode()
        except BaseException as error:
            # Whatever broke off in between: what the server still says would answer the next one.
            pgconn.finish()
            self.failed = calls[-1]
            if isinstance(error, Error):
                self._judge(calls)  # What it said before it went tells more.
            raise
        self._judge(calls)

    def _make_room(self, calls: list[Call]) -> None:
        """Have the session forget what it was not asked for longest."""
        while len(self._prepared) > MOST_PREPARED:
            oldest = next(iter(self._prepared))
            calls.insert(0, Call(b"DEALLOCATE " + self._prepared.pop(oldest)))

    def _exchange(self, calls: Sequence[Call]) -> None:
        pgconn = self._line.pgconn
        pgconn.pipeline_sync()
        if pgconn.flush():
            self._line.wait(send(pgconn))
        for call in calls:
            call.answer = self._hear()
            if call.is_new:
                if call.answer.status in DONE:
                    call.answer = self._hear()
                else:
                    self._hear()
                    del self._prepared[call.sql, call.types]
        self._hear_next()  # That this was the end of it.

    def _hear(self) -> Any:
        answer = self._hear_next()
        if answer is None:
            raise OperationalError("the server has hung up in the middle of its answers")
        self._hear_next()  # Each answer ends with nothing.
        return answer

    def _hear_next(self) -> Any:
        pgconn = self._line.pgconn
        if pgconn.is_busy():
            return self._line.wait(fetch(pgconn))
        return pgconn.get_result()

    def _judge(self, calls: Sequence[Call]) -> None:
        for call in calls:
            if call.answer is not None and call.answer.status not in DONE:
                self.failed = call
                failure = error_from_result(call.answer, self._line.info.encoding)
                leave_out_values(failure)
                raise failure

    def _write(self, sql: bytes, values: Sequence[Any]) -> Call:
        self.failed = Call(sql)  # Should a value be none that can be written.
        convert = self._converter
        written = convert.dump_sequence(values, [AUTO] * len(values))
        return Call(sql, written, convert.types, convert.formats)

    def _prepare(self, call: Call) -> None:
        if call.values is None or self._line.prepare_threshold is None:
            return
        key = (call.sql, call.types)
        name = self._prepared.pop(key, None)
        call.is_new = name is None
        call.name = self._prepared[key] = name or next(self._names)

    def _rows_of(self, call: Call) -> list[Row]:
        self._converter.set_pgresult(call.answer)
        found: list[Row] = self._converter.load_rows(0, call.answer.ntuples, tuple)
        self._converter.set_pgresult(None)
        return found
