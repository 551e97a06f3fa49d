"""Scans of the signed paper: what is one, and how many of them an order may have.

What a file is, its first and last bytes say; its name and what the browser calls it do not count.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from services.billing.models import Order, Scan
from services.billing.signing.handlers import require_unsigned
from shared.base.errors import Conflict, Invalid, NotFound, Unavailable
from shared.host.requests import WriteContext

MAX_SCAN_BYTES = 10 * 1024 * 1024
MAX_SCANS = 5
"""For one order: two pages, and some that did not come out well."""
END_WITHIN = 2048
"""Scanners and mail programs add a little after the end of a file."""
SMALLER = "The file has more than 10 MB; scan it in grey, or smaller."
WAIT_SECONDS = 10.0
_at_once = threading.BoundedSemaphore(2)
"""A scan is in memory while it is stored: this many of them at a time."""

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
KINDS: tuple[tuple[str, bytes, bytes], ...] = (
    (PDF, b"%PDF-", b"%%EOF"),
    (JPEG, b"\xff\xd8\xff", b"\xff\xd9"),
    (PNG, b"\x89PNG\r\n\x1a\n", b"IEND"),
)
SUFFIXES = {PDF: "pdf", JPEG: "jpg", PNG: "png"}


@dataclass(frozen=True)
class ScanListed:
    """A scan without its contents."""

    id: str
    media_type: str
    size: int
    sha256: str
    received_at: datetime


def media_type_of(content: bytes) -> str:
    """What a file is, by its contents.

    Raises:
        Invalid: it is empty, too large, broken off, or nothing that we take.
    """
    if len(content) > MAX_SCAN_BYTES:
        raise Invalid("scan_too_large", SMALLER)
    for media_type, begin, end in KINDS:
        if content.startswith(begin):
            if end in content[-END_WITHIN:]:
                return media_type
            raise Invalid("scan_broken_off", "The file is incomplete; send it once more.")
    raise Invalid("scan_of_other_kind", "Send a PDF, a JPEG or a PNG.")


@contextmanager
def place_to_store() -> Iterator[None]:
    """Room for one scan in memory.

    Raises:
        Unavailable: others are being stored just now.
    """
    if not _at_once.acquire(timeout=WAIT_SECONDS):
        raise Unavailable("scans_busy", "Other files are being stored; try again in a moment.")
    try:
        yield
    finally:
        _at_once.release()


def keep_scan(context: WriteContext, onboarding_id: str, scan_id: str, content: bytes) -> None:
    """Keep a scan with its act; the same once more changes nothing.

    Raises:
        Conflict: the order is signed or withdrawn, or has many scans already.
        Invalid: it is no scan.
    """
    scan = Scan(
        id=scan_id,
        onboarding_id=onboarding_id,
        media_type=media_type_of(content),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        address=context.by.address[:64],
        received_at=context.now,
        content=content,
    )
    by_id = col(Order.onboarding_id) == onboarding_id
    order = context.session.exec(select(Order).where(by_id).with_for_update()).one()
    others = scans_of(context.session, onboarding_id)
    if any(scan.id == other.id or scan.sha256 == other.sha256 for other in others):
        return
    require_unsigned(order)
    if len(others) >= MAX_SCANS:
        raise Conflict("scans_enough", "We have several files of this order; that is enough.")
    order.note_returned(context.now)
    context.session.add_all([order, scan])
    details = {"scan_id": scan_id, "media_type": scan.media_type, "sha256": scan.sha256}
    context.record("billing.scan_received", onboarding_id, details)


def scans_of(session: Session, onboarding_id: str) -> list[ScanListed]:
    """The scans of an order, the earliest first, without their contents."""
    columns = (Scan.id, Scan.media_type, Scan.size, Scan.sha256, Scan.received_at)
    query = select(*columns).where(col(Scan.onboarding_id) == onboarding_id)  # type: ignore[call-overload]
    rows = session.exec(query.order_by(col(Scan.received_at), col(Scan.id)))
    return [ScanListed(*row) for row in rows]


def load_scan(session: Session, onboarding_id: str, scan_id: str) -> Scan:
    """A scan of this order, with its contents.

    Raises:
        NotFound: there is none by that id.
    """
    scan = session.get(Scan, scan_id)
    if scan is None or scan.onboarding_id != onboarding_id:
        raise NotFound("not_found", "There is no such file.")
    return scan
