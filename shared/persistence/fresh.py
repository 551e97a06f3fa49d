"""The schema of an empty SQLite database, made in one step instead of a walk through its history.

The embedded default makes a database for each service at its first start, for which a person waits.
So what the migrations make of an empty one lies beside them, in a script for each history, named
for the newest revision. The migrations stay the one truth: a script that bears the name of another
revision is not used, and `tests/house/test_fresh_schema.py` compares each with what they make.
"""

from pathlib import Path

from sqlalchemy import Connection

from shared.persistence import histories

SCRIPTS = "fresh"
"""The folder of a history's script, beside that of its revisions."""
END = ";\n"
"""How a statement ends; none of them has such an end within."""
COUNT = "SELECT count(*) FROM sqlite_master"


def create_fresh(connection: Connection, migrations: Path) -> bool:
    """Make the tables of this version; False, and nothing done, where only migrations can.

    The revisions are not recorded here.
    """
    scripts = scripts_of(migrations)
    if not (_is_empty_sqlite(connection) and all(script.is_file() for script in scripts)):
        return False
    for script in scripts:
        for statement in script.read_text().removesuffix(END).split(END):
            connection.exec_driver_sql(statement)
    return True


def scripts_of(migrations: Path) -> tuple[Path, ...]:
    """Where the scripts are to lie: that of the shared tables, and that of the service's own."""
    return tuple(
        folder.with_name(SCRIPTS) / f"{histories.newest(folder).id}.sql"
        for folder in histories.folders(migrations)
    )


def _is_empty_sqlite(connection: Connection) -> bool:
    if connection.dialect.name != "sqlite":
        return False
    return not connection.exec_driver_sql(COUNT).scalar_one()
