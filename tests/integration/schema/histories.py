"""The schema histories of another version: fewer migrations than this one has, or more."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from shared.persistence import histories

MIGRATION = '''"""What a later version adds."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    {statement}


def downgrade() -> None:
    pass
'''

Version = Callable[[Path], None]
"""Makes another version's history of a copy of this one's: given the folder of its revisions."""


def without_newest(count: int = 1) -> Version:
    """The version before: it lacks the newest migrations."""

    def shorten(folder: Path) -> None:
        for file in sorted(folder.glob("*_[0-9]*.py"))[-count:]:
            file.unlink()

    return shorten


def with_newer(statement: str) -> Version:
    """A later version: it has one migration more, which does this."""

    def lengthen(folder: Path) -> None:
        history, number = max(folder.glob("*_[0-9]*.py")).stem.split("_")[:2]
        before, revision = f"{history}_{number}", f"{history}_{int(number) + 1:04}"
        source = MIGRATION.format(revision=revision, before=before, statement=statement)
        (folder / f"{revision}_later.py").write_text(source)

    return lengthen


def as_it_is(_folder: Path) -> None:
    """The same history."""


class Release:
    """The schema histories of one version: the shared one, and that of one service."""

    def __init__(
        self, folder: Path, migrations: Path, *, shared: Version = as_it_is, own: Version = as_it_is
    ) -> None:
        self.shared = folder / "shared"
        self.migrations = folder / migrations.parent.name / "migrations"
        shutil.copytree(histories.SHARED, self.shared)
        shutil.copytree(migrations, self.migrations)
        shared(self.shared / "versions")
        own(self.migrations / "versions")

    @contextmanager
    def installed(self) -> Iterator[Path]:
        """This version's files stand where those of today stand; gives those of its service."""
        with patch.object(histories, "SHARED", self.shared):
            yield self.migrations
