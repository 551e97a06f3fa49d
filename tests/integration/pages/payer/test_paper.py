"""The payer says that the paper was posted, or sends a scan of it."""

import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.billing.models import Scan
from services.billing.signing import scans
from services.billing.signing.scans import MAX_SCAN_BYTES, MAX_SCANS
from shared.trade.calendar import business_day
from tests.integration.http.conftest import Api
from tests.integration.pages.payer.conftest import Payer, Paying
from tests.visitors import words_of

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 64 + b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64 + b"IEND\xaeB`\x82"


def test_the_payer_says_that_the_letter_is_on_its_way(payer: Paying) -> None:
    # Given a payer who has posted the signed paper
    who = payer()
    today = business_day(datetime.now(UTC))
    # When they say so
    page = who.post("/posted", posted_on=today.isoformat())
    # Then the page says since when, and that they still may sign online.
    assert "Uw brief is onderweg" in words_of(page)
    assert "Toch liever meteen online ondertekenen?" in words_of(page)
    assert who.order().posted_on == today
    assert not who.order().signed


@pytest.mark.parametrize("day", ["2020-01-01", "2999-01-01"])
def test_a_day_on_which_nobody_can_have_posted_it_is_refused(day: str, payer: Paying) -> None:
    who = payer()
    page = who.post("/posted", posted_on=day)
    assert page.status_code == 422
    assert "Kies een dag vanaf de orderdatum" in words_of(page)
    assert f'value="{day}"' in page.text
    assert who.order().posted_on is None


def test_what_is_no_day_is_refused(payer: Paying) -> None:
    who = payer()
    assert "kies een dag" in words_of(who.post("/posted", posted_on="gisteren"))
    assert "Kies de dag waarop" in words_of(who.post("/posted"))


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(PDF, "application/pdf"), (JPEG, "image/jpeg"), (PNG, "image/png")],
)
def test_a_scan_is_kept_and_signs_nothing(content: bytes, media_type: str, payer: Paying) -> None:
    # Given a payer who sends a scan under a name that says nothing
    who = payer()
    page = who.send_scan(content, name="../../x.exe")
    # Then it is kept by what it is, and a person is awaited.
    assert "Uw bestand wordt bekeken" in words_of(page)
    (scan,) = kept(who)
    assert (scan.media_type, scan.content, scan.address) == (media_type, content, "127.0.0.1")
    assert not who.order().signed


def test_the_same_scan_again_is_kept_once(payer: Paying) -> None:
    who = payer()
    who.send_scan(PDF)
    assert who.send_scan(PDF).status_code == 200
    assert len(kept(who)) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html><script>alert(1)</script>", "Stuur een PDF, of een foto"),
        (b"GIF89a" + b"\x00" * 20, "Stuur een PDF, of een foto"),
        (PDF[:-7], "niet volledig aangekomen"),
        (b"", "Stuur een PDF, of een foto"),
    ],
)
def test_what_is_no_scan_is_refused_by_its_contents(
    content: bytes, words: str, payer: Paying
) -> None:
    who = payer()
    page = who.send_scan(content, name="scan.pdf")
    assert page.status_code == 422
    assert words in words_of(page)
    assert kept(who) == []


def test_without_a_file_the_page_asks_for_one(payer: Paying) -> None:
    who = payer()
    page = who.post("/scan")
    assert page.status_code == 422
    assert "Kies een bestand." in words_of(page)


def test_a_scan_of_ten_megabytes_fits_and_a_larger_one_is_told_so(payer: Paying) -> None:
    who = payer()
    full = PDF + b" " * (MAX_SCAN_BYTES - 2 * len(PDF)) + PDF
    assert len(full) == MAX_SCAN_BYTES
    assert "Uw bestand wordt bekeken" in words_of(who.send_scan(full))
    larger = who.send_scan(full + b" ")
    assert larger.status_code == 422
    assert "groter dan 10 MB" in words_of(larger)
    far_larger = who.send_scan(full + b" " * 2 * 1024 * 1024)
    assert "groter dan 10 MB" in words_of(far_larger)
    assert len(kept(who)) == 1


def test_an_order_has_few_scans(payer: Paying) -> None:
    who = payer()
    for number in range(MAX_SCANS):
        who.send_scan(PDF + b"%d\n" % number)
    more = who.send_scan(PDF + b"more\n")
    assert more.status_code == 409
    assert "dat is genoeg" in words_of(more)
    assert len(kept(who)) == MAX_SCANS


def test_while_others_are_stored_the_page_asks_to_come_again(
    payer: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = payer()
    nobody = threading.BoundedSemaphore(1)
    nobody.acquire()
    monkeypatch.setattr(scans, "_at_once", nobody)
    monkeypatch.setattr(scans, "WAIT_SECONDS", 0.01)
    page = who.send_scan(PDF)
    assert page.status_code == 503
    assert "stuur het bestand zo nog eens" in words_of(page)


def test_nobody_uploads_without_a_link(api: Api) -> None:
    # Given somebody who has none, When they send ten megabytes,
    answer = httpx.post(
        f"{api.address}/sign/nonsense/scan",
        files={"scan": ("x.pdf", PDF, "application/pdf")},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    # Then nothing is read; and elsewhere a request stays as small as it was.
    assert answer.status_code == 404
    elsewhere = httpx.post(f"{api.address}/orders", content=b"x" * (MAX_SCAN_BYTES // 4))
    assert elsewhere.status_code == 413


def test_another_site_posts_nothing_in_a_payers_name(payer: Paying) -> None:
    who = payer()
    for path in ("/posted", "/scan", "/online", "/new-link"):
        answer = who.visitor.http.post(
            f"{who.path}{path}",
            data={"form_key": "5f1f8c1e-9a5c-4a39-9d3a-000000000002"},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert answer.status_code == 403


def test_nothing_is_taken_for_what_is_signed(api: Api, payer: Paying) -> None:
    who = payer()
    api.sign(who.reference)
    today = business_day(datetime.now(UTC))
    for page in (who.send_scan(PDF), who.post("/posted", posted_on=today.isoformat())):
        assert page.status_code == 409
        assert "al ondertekend" in words_of(page)
    assert kept(who) == []


def test_a_reminder_waits_for_the_letter(payer: Paying) -> None:
    # The pause itself is tried in tests/unit/billing; here, that what it goes by is kept.
    who = payer()
    before = datetime.now(UTC) - timedelta(seconds=1)
    who.send_scan(PDF)
    returned_at = who.order().returned_at
    assert returned_at is not None
    assert returned_at > before


def kept(who: Payer) -> list[Scan]:
    """The scans of this payer's order."""
    with who.api.stage.databases()["billing"].read() as session:
        listed = scans.scans_of(session, who.onboarding_id)
        return [scans.load_scan(session, who.onboarding_id, scan.id) for scan in listed]
