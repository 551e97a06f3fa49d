"""Pages that are open show what happens elsewhere, within two seconds and by themselves."""

from tests.browser.open_pages import OpenPages, TwoSeconds
from tests.browser.visitors import Visitors
from tests.browser.walk import Walk
from tests.e2e.api import Api
from tests.e2e.stage import Stage

COMPANY = "Timmerbedrijf De Zaag"


def test_everybody_who_looks_sees_a_signature_and_its_payment_at_once(
    stage: Stage, api: Api, person: Visitors
) -> None:
    # Given a customer who waits for a signature, and whoever has a page about them open
    pages = OpenPages(Walk(stage, person), api, COMPANY)
    # When KING records the signature, Then customer, payer and office see it.
    assert api.sign(pages.order).status_code == 202
    TwoSeconds().show(
        pages.customer.get_by_role("heading", name="Wij wachten op de betaling"),
        pages.payer.get_by_role("heading", name="Ondertekend: u hoeft niets meer te doen"),
        pages.colleague.get_by_text("Bevestiging ondertekend"),
    )
    # When the money is in, Then they see that too, and the work list has one more to activate.
    assert api.report(api.to_collect(pages.order)).status_code == 202
    TwoSeconds().show(*pages.paid(COMPANY))
