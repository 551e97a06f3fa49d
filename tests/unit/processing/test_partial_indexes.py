"""An index of some rows is one on both databases, though a start loads no dialect for it."""

import pytest
from sqlalchemy import Dialect, MetaData, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex

from shared.processing.store.tables import Inbox

TABLE: Table = Inbox.__table__  # type: ignore[attr-defined]
WAITING = "CREATE INDEX inbox_waiting ON inbox (due_at) WHERE status = 'waiting'"


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()])  # type: ignore[no-untyped-call]
@pytest.mark.parametrize("table", [TABLE, TABLE.to_metadata(MetaData())], ids=["own", "copied"])
def test_both_databases_are_told_which_rows_an_index_is_of(table: Table, dialect: Dialect) -> None:
    # Given an index of the messages that wait, of the table or of a copy of it,
    (index,) = (index for index in table.indexes if index.name == "inbox_waiting")
    # When a database is to make it, Then it is told of which rows.
    assert str(CreateIndex(index).compile(dialect=dialect)) == WAITING
