"""Every statement that a service sends, and what the database would do for it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")
MOST_SORTED = 500
"""Rows of the largest page."""
MOST_READ = 2 * MOST_SORTED
"""A list of two tables reads a row of each for every row that it gives."""
SCANS = ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan")

Statements = dict[str, Any]
"""What was sent, with the parameters of the last time."""


@contextmanager
def noting(engine: Engine) -> Iterator[Statements]:
    """Note every statement that is sent inside this block."""
    seen: Statements = {}

    def note(
        _c: object, _cur: object, statement: str, parameters: Any, _ctx: object, many: bool
    ) -> None:
        if statement.split(maxsplit=1)[0] in VERBS:
            seen[statement] = parameters[0] if many else parameters

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def objections(engine: Engine, statements: Statements, tables: set[str]) -> list[str]:
    """What there is against the plans of these statements; these tables may grow for ever."""
    judge = _of_sqlite if engine.dialect.name == "sqlite" else _of_postgresql
    found: list[str] = []
    with engine.connect() as connection:
        for statement, parameters in statements.items():
            wrong = list(judge(connection, statement, parameters, tables))
            found += [f"{objection}: {statement}" for objection in wrong]
        connection.rollback()
    return found


def _of_postgresql(
    connection: Connection, statement: str, parameters: Any, tables: set[str]
) -> Iterator[str]:
    """A query is run, so that what it really read is known; of a change only the plan is asked."""
    real = statement.startswith("SELECT")
    options = "ANALYZE, FORMAT JSON" if real else "FORMAT JSON"
    answer = connection.exec_driver_sql(f"EXPLAIN ({options}) {statement}", parameters).scalar_one()
    for node in _nodes(answer[0]["Plan"]):
        kind, table = node["Node Type"], node.get("Relation Name")
        if kind == "Seq Scan" and table in tables:
            yield f"reads all of {table}"
        if kind in SCANS and _read(node) > MOST_READ:
            yield f"reads {_read(node):.0f} rows of {table}"
        if kind in ("Sort", "Incremental Sort"):
            rows = sum(_rows(child) for child in node["Plans"])
            if rows > MOST_SORTED:
                yield f"sorts {rows:.0f} rows"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _rows(node: dict[str, Any]) -> float:
    return float(node.get("Actual Rows", node["Plan Rows"]) * node.get("Actual Loops", 1))


def _read(node: dict[str, Any]) -> float:
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    passed_over = sum(node.get(name, 0) for name in removed) * node.get("Actual Loops", 1)
    return _rows(node) + float(passed_over)


def _of_sqlite(
    connection: Connection, statement: str, parameters: Any, tables: set[str]
) -> Iterator[str]:
    """A page may walk along an index, and anybody along one that has few of all rows."""
    page = "LIMIT" in statement
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    for *_, detail in rows:
        scanned = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", detail)
        if scanned and scanned[1] in tables:
            along = scanned[2] is not None and (page or _is_partial(connection, scanned[2]))
            if not along:
                yield f"reads all of {scanned[1]}"
        # A page is put in order by its index; a load sorts only the rows that it is for.
        if page and "TEMP B-TREE" in detail:
            yield f"sorts ({detail})"


def _is_partial(connection: Connection, index: str) -> bool:
    query = "SELECT sql LIKE '% WHERE %' FROM sqlite_master WHERE name = ?"
    return bool(connection.exec_driver_sql(query, (index,)).scalar())
