"""Whether the data folder is closed to the other users of this machine."""

import stat
from collections.abc import Iterator

from infra.operations.doctor.finding import Finding
from shared.host.settings import Settings

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def folder(settings: Settings) -> Iterator[Finding]:
    """The data folder: what lies in it is about people."""
    place = settings.data_dir
    if not place.exists():
        yield Finding("data folder", True, f"{place} is made at the first start")
        return
    is_open = bool(stat.S_IMODE(place.stat().st_mode) & OTHERS)
    found = f"others on this machine may look into {place}" if is_open else "is closed to others"
    yield Finding("data folder", not is_open, found, f"chmod 700 {place}")
