"""Where the two services keep their books: a database each, used by one example after another."""

from sqlalchemy import delete, event

from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.processing.store.tables import Decision, Inbox, Outbox, ProcessingTable, Retention
from tests.model.chain import SERVICES, ChainTable, Customer


class Ground:
    """The databases with their tables; every process of a service shares its connections.

    SQLAlchemy keeps what it has compiled with a database's engine: were each process to make its
    own, compiling would take most of the time.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.databases = {name: Database(settings.database_url_of(name)) for name in SERVICES}
        for database in self.databases.values():
            if database.is_sqlite:
                event.listen(database.engine, "connect", _trust_the_disk)
            for metadata in (ChainTable.metadata, ProcessingTable.metadata):
                metadata.create_all(database.engine)

    def clear(self) -> None:
        """Empty every table."""
        for database in self.databases.values():
            with database.begin() as session:
                for table in (Customer, Inbox, Outbox, Decision, Retention):
                    session.execute(delete(table))

    def close(self) -> None:
        """Give all connections back."""
        for database in self.databases.values():
            database.close()


def _trust_the_disk(connection: object, _record: object) -> None:
    """The model kills no machine, only processes: what is written need not wait for the disk."""
    connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]
