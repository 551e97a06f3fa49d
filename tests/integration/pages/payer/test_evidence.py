"""KING sees what a payer returned: the scans of the paper, the evidence of what is signed."""

from tests.integration.http.conftest import Api
from tests.integration.pages.payer.conftest import Payer, Paying
from tests.integration.pages.payer.test_paper import JPEG, PDF, kept
from tests.visitors import Visitor, staff_visitor, words_of


def staff(who: Payer, role: str = "king", office: str | None = None) -> Visitor:
    """Somebody who is signed in where the payer's order is."""
    return staff_visitor(who.api.stage.settings, who.api.address, role, office)


def test_king_sees_a_scan_and_downloads_just_what_was_sent(payer: Paying) -> None:
    # Given a payer who sent a picture
    who = payer()
    who.send_scan(JPEG)
    (scan,) = kept(who)
    # When KING opens what was returned, Then it is there to download
    page = staff(who).get(f"/orders/{who.reference}/returned")
    path = f"/orders/{who.reference}/scans/{scan.id}"
    assert path in page.text
    assert "Een scan is nog geen handtekening" in words_of(page)
    # As a file that no browser shows or runs.
    answer = staff(who).get(path)
    assert answer.content == JPEG
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert answer.headers["cache-control"] == "no-store"


def test_a_scan_is_for_king_alone(payer: Paying) -> None:
    who = payer()
    who.send_scan(PDF)
    (scan,) = kept(who)
    path = f"/orders/{who.reference}/scans/{scan.id}"
    for role, office in (("office", "0042"), ("activator", "0042"), ("operator", None)):
        assert staff(who, role, office).get(path).status_code == 403
    stranger = who.visitor.http.get(path, follow_redirects=False)
    assert stranger.headers["location"].startswith("/staff/pass?")


def test_a_scan_of_another_order_is_not_there(payer: Paying) -> None:
    one, other = payer(), payer()
    one.send_scan(PDF)
    (scan,) = kept(one)
    assert staff(one).get(f"/orders/{other.reference}/scans/{scan.id}").status_code == 404
    assert staff(one).get(f"/orders/{one.reference}/scans/nothing").status_code == 404


def test_the_evidence_of_an_online_signature_is_there_to_read(api: Api, payer: Paying) -> None:
    # Given an order that was signed online
    who = payer()
    who.enter(who.prepare(), who.mailed_code())
    (evidence,) = who.signings()
    # When KING looks, Then all that was kept is there
    shown = words_of(staff(who).get(f"/orders/{who.reference}/returned"))
    for words in ("J. Voorbeeld", "Utrecht", "127.0.0.1", evidence.document_sha256):
        assert words in shown
    assert evidence.sent_to in shown
    assert evidence.consent in shown
    # And the acts say that it was the payer, and by which signature.
    acts = api.ask("GET", f"/api/orders/{who.reference}").json()["acts"]
    (signed,) = [act for act in acts if act["what"] == "billing.sign_online"]
    assert signed["who"] == "payer"
    assert signed["details"]["signing_id"] == evidence.id


def test_what_a_payer_typed_is_shown_as_text(payer: Paying) -> None:
    who = payer()
    asked = who.prepare(signed_by="<script>alert(1)</script>", place="<b>Utrecht")
    assert "<script>alert" not in asked.text
    who.enter(asked, who.mailed_code())
    for page in (who.open(), staff(who).get(f"/orders/{who.reference}/returned")):
        assert "<script>alert" not in page.text
        assert "<b>Utrecht" not in page.text
