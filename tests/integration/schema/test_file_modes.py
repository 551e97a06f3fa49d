"""SQLite's files are their owner's alone, whatever folder they lie in: people's data are there."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from infra.composition import build_service
from infra.operations.doctor.folder_check import folder
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import upgrade

MIGRATIONS = build_service("billing", Settings()).migrations
FILES = ("billing.db", "billing.db-shm", "billing.db-wal")


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """This process' own, while the test runs."""
    former = os.umask(request.param)
    yield
    os.umask(former)


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder into which everybody may look."""
    place = tmp_path / "data"
    place.mkdir()
    place.chmod(0o777)
    return place


def modes(place: Path) -> dict[str, str]:
    return {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in place.iterdir()}


def write(place: Path) -> dict[str, str]:
    """Bring the database there up to date; the modes of its files while it is in use."""
    with closing(Database(f"sqlite:///{place}/billing.db")) as database:
        upgrade(database, MIGRATIONS)
        with database.read() as session:
            session.connection()
            return modes(place)


@pytest.mark.usefixtures("umask")
def test_a_database_is_its_owners_alone_whatever_folder_it_lies_in(open_folder: Path) -> None:
    assert write(open_folder) == dict.fromkeys(FILES, "0o600")


def test_files_of_before_are_closed_when_they_are_next_used(open_folder: Path) -> None:
    # Given a database of before, open to others, and the files that a crash has left beside it,
    write(open_folder)
    for name in FILES:
        (open_folder / name).touch()
        (open_folder / name).chmod(0o644)
    # When it is used, Then all are closed.
    assert write(open_folder) == dict.fromkeys(FILES, "0o600")


def test_a_connection_that_is_made_takes_nobodys_lock_away(open_folder: Path) -> None:
    # Given a database that is in use, to which the same process connects once more,
    with closing(Database(f"sqlite:///{open_folder}/billing.db")) as database:
        upgrade(database, MIGRATIONS)
        with database.read() as session:
            session.connection()
            with closing(Database(database.url)) as another, another.read() as reading:
                reading.connection()
                # When another process comes and goes, Then it does not think that it was the last,
                visit(open_folder / "billing.db")
                # and clears away what the others are writing to.
                assert (open_folder / "billing.db-wal").exists()


def visit(database: Path) -> None:
    """Another process reads, and closes the database."""
    program = (
        "import sqlite3, sys; database = sqlite3.connect(sys.argv[1]); "
        "database.execute('SELECT * FROM sqlite_master').fetchall(); database.close()"
    )
    subprocess.run([sys.executable, "-c", program, str(database)], check=True)


def test_the_doctor_names_a_folder_that_is_open_to_others(open_folder: Path) -> None:
    # Given a data folder that others may look into, When the doctor looks, Then it says so,
    settings = Settings(data_dir=open_folder)
    (finding,) = folder(settings)
    assert not finding.ok
    assert str(open_folder) in finding.finding
    assert finding.advice == f"chmod 700 {open_folder}"
    # and no more once it is closed.
    open_folder.chmod(0o700)
    assert [finding.ok for finding in folder(settings)] == [True]
    assert [finding.ok for finding in folder(Settings(data_dir=open_folder / "none"))] == [True]


def test_each_database_lies_in_the_folder_that_was_set_whatever_its_name(tmp_path: Path) -> None:
    # Given a folder whose name has signs in it that mean something in an address,
    settings = Settings(data_dir=tmp_path / "what? 100%41 #1 {x}")
    # When the databases of two services are opened,
    for name in ("billing", "signup"):
        with closing(Database(settings.database_url_of(name))) as database:
            assert database.answers()
    # Then each has its own file there, and nothing lies elsewhere.
    files = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.db")}
    assert files == {f"what? 100%41 #1 {{x}}/{name}.db" for name in ("billing", "signup")}
