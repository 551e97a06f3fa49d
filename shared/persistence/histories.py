"""The two schema histories of a service's database, and how far it has come in each.

A history is a line of migrations with the numbers 1, 2, 3, …, in files that are named for their
revisions (`billing_0008_what_the_payer_returned.py`): so a start tells from names alone whether
there is anything to do. A number orders revisions: a database may be older than this version, or
newer where a later version has been at it; since tables only gain what an earlier version can live
with (CONTRIBUTING), newer is as good as equal.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.base.errors import WrongSettings

SHARED = Path(__file__).parent / "migrations"
REVISION = re.compile(r"(?P<history>[a-z][a-z0-9_]*?)_(?P<number>\d{4,})(?=_|$)")


class UnrelatedSchema(WrongSettings):
    """A database has the tables of something else; the text says what to do."""


@dataclass(frozen=True)
class Revision:
    """One migration of a history, by its name."""

    history: str
    number: int
    id: str


@dataclass(frozen=True)
class Comparison:
    """How a database's schema and this version's compare, in each of the two histories."""

    behind: tuple[str, ...] = ()
    """The histories in which the database is older: `db upgrade` brings it on."""
    unknown: tuple[str, ...] = ()
    """Revisions of a later version, which this one does not know and can live with."""

    @property
    def is_sufficient(self) -> bool:
        """Whether the database has all that this version needs; it may have more."""
        return not self.behind


def compare(found: Collection[str], migrations: Path) -> Comparison:
    """Compare the revisions that a database is at with those of this version.

    Raises:
        UnrelatedSchema: they belong to another service, or to no history of ours.
    """
    ends = {last.history: last for last in map(newest, folders(migrations))}
    known = frozenset().union(*(_ids(folder) for folder in folders(migrations)))
    at, unknown = dict.fromkeys(ends, 0), []
    for name in sorted(found):
        revision = read_revision(name)
        if revision is None or revision.history not in ends:
            raise UnrelatedSchema(_unrelated(name, migrations))
        if revision.number > ends[revision.history].number:
            unknown.append(name)
        elif name not in known:
            raise UnrelatedSchema(_unrelated(name, migrations))
        at[revision.history] = max(at[revision.history], revision.number)
    behind = [history for history, last in ends.items() if at[history] < last.number]
    return Comparison(tuple(behind), tuple(unknown))


def heads(migrations: Path) -> frozenset[str]:
    """The newest revision of each of the two histories, told by the names of their files."""
    return frozenset(newest(folder).id for folder in folders(migrations))


def folders(migrations: Path) -> tuple[Path, Path]:
    """Where the revisions lie: those of the shared tables, and those of the service's own."""
    return SHARED / "versions", migrations / "versions"


def read_revision(name: str) -> Revision | None:
    """The revision with which a name begins; None when it is named otherwise."""
    match = REVISION.match(name)
    return match and Revision(match["history"], int(match["number"]), match[0])


@cache
def _revisions(folder: Path) -> tuple[Revision, ...]:
    read = (read_revision(file.stem) for file in folder.glob("*.py"))
    return tuple(revision for revision in read if revision is not None)


def newest(folder: Path) -> Revision:
    """The last revision of the history in a folder."""
    return max(_revisions(folder), key=lambda revision: revision.number)


def _ids(folder: Path) -> frozenset[str]:
    return frozenset(revision.id for revision in _revisions(folder))


def _unrelated(name: str, migrations: Path) -> str:
    service = newest(folders(migrations)[1]).history
    return (
        f"STAPPENPLAN_DATABASE_URL leads {service} to a database whose schema ({name}) is another "
        "service's, or another program's. Each service has a database of its own: write {service} "
        f"where the name of the database stands in the address, or have it lead to {service}'s own"
    )
