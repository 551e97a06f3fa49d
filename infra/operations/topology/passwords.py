"""The file that keeps the clear passwords of the broker's users, for its owner alone."""

import json
import tempfile
from pathlib import Path
from typing import TypeGuard

from shared.base.errors import StappenplanError


class BadPasswords(StappenplanError):
    """The file cannot be read or written; the text says what is wrong with it."""


def read_passwords(path: Path) -> dict[str, str]:
    """Each user's password; none when the file is not there yet.

    Raises:
        BadPasswords: it is there, but is no such file.
    """
    try:
        passwords = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadPasswords(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        passwords = None
    if not _are_passwords(passwords):
        # To make new ones would lock out everybody who uses those that were meant.
        raise BadPasswords(
            f"{path} does not hold the passwords of broker users, as JSON; mend it, or name a file "
            "that is not there yet"
        )
    return passwords


def _are_passwords(value: object) -> TypeGuard[dict[str, str]]:
    return isinstance(value, dict) and all(
        isinstance(password, str) and password for password in value.values()
    )


def keep_passwords(path: Path, passwords: dict[str, str]) -> None:
    """Write the file: whole or not at all, and never readable by others, not even for a moment.

    Raises:
        BadPasswords: it cannot be written.
    """
    path = path.resolve()
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as room:
            draft = Path(room) / path.name
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(passwords, indent=2) + "\n", encoding="utf-8")
            draft.replace(path)
    except OSError as error:
        raise BadPasswords(f"cannot write {path}: {error.strerror}") from None
