"""The stylesheet and the scripts: the same in every process, kept by browsers until they change."""

from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "static"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}


def names() -> set[str]:
    """The files that browsers may have."""
    return {path.name for path in FOLDER.iterdir() if path.suffix in MEDIA_TYPES}


@cache
def contents(name: str) -> bytes:
    """What stands in the file of this name."""
    return (FOLDER / name).read_bytes()


@cache
def version(name: str) -> str:
    """A text that changes with what stands in it."""
    return sha256(contents(name)).hexdigest()[:12]


def address_of(name: str) -> str:
    """The address of a file that pages use, other contents having another address."""
    return f"/static/{name}?v={version(name)}"
