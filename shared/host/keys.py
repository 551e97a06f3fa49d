"""The keys: how long they must be, where they are kept, and what is derived with them."""

import hmac
import json
import secrets
from pathlib import Path
from uuid import UUID

from shared.base.errors import WrongSettings

KEY_BYTES = 32
"""What HMAC with SHA-256 asks for (RFC 7518, 3.2): a shorter key can be guessed."""

TOO_SHORT = (
    f"a key has at least {KEY_BYTES} bytes; make one with `openssl rand -base64 48`, or leave it "
    "empty to have one made in the data folder"
)


def read_keys(text: str) -> tuple[str, ...]:
    """The keys in a text, apart by commas, without the blanks around them.

    Raises:
        ValueError: one of them is too short.
    """
    keys = tuple(part.strip() for part in text.split(","))
    for key in keys:
        read_key(key)
    return keys


def read_key(text: str) -> str:
    """One key, without the blanks around it.

    Raises:
        ValueError: it is too short.
    """
    key = text.strip()
    if len(key.encode()) < KEY_BYTES:
        raise ValueError(TOO_SHORT)
    return key


def named(path: object) -> object:
    """A path as it is set; what is blank would be the folder that somebody happens to be in.

    Raises:
        ValueError: it is blank.
    """
    if isinstance(path, str) and not path.strip():
        raise ValueError("name one, or leave it out")
    return path


def usable_folder(folder: Path) -> Path:
    """The folder in which keys and more are kept, if this user can look into it; or none yet.

    Raises:
        ValueError: they cannot, or it is no folder.
    """
    try:
        (folder / "token.key").stat()
    except FileNotFoundError:
        pass  # It is made at first use.
    except OSError as error:
        raise ValueError(f"name a folder that this user may use ({error.strerror})") from None
    return folder


def kept_key(path: Path, first: str | None = None) -> str:
    """What is kept in a file for its owner alone; made there at first use, by chance or as `first`.

    Raises:
        WrongSettings: it cannot be kept there; the text says what to do.
    """
    try:
        if not path.exists():
            _keep(path, first or secrets.token_urlsafe(48))
        return path.read_text().strip()
    except OSError as error:
        raise WrongSettings(
            f"{path} cannot be read or made ({error.strerror}): let this user write to the data "
            f"folder, or set STAPPENPLAN_{path.stem.upper()}_KEY"
        ) from None


def _keep(path: Path, key: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(key)
    try:
        # A link, unlike a rename, does not replace the key that another process made.
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # That process was first: its key is the one to read.
    finally:
        draft.unlink()


def derived_id(seal_key: str, *parts: str | None) -> str:
    """The id that belongs to these parts: the same each time, and nobody's to guess.

    Whoever does not have the key cannot take it first under another name.
    """
    text = json.dumps(["id", *parts])
    digest = hmac.digest(seal_key.encode(), text.encode(), "sha256")
    return str(UUID(bytes=digest[:16], version=4))
