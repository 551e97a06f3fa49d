"""Every request of a person that changes something leaves an act, with nothing of people in it."""

from typing import Any

from services.signup.commands import office_subject
from shared.host.runtime import utc_now
from shared.persistence.database import Database
from shared.processing.store import acts
from shared.processing.store.tables import Act
from shared.trade.calendar import business_day
from tests.integration.http.conftest import Api

IBAN, SIGNER, ADDRESS = "NL91ABNA0417164300", "A. Voorbeeld", "nieuw@bedrijf.example"
TODAY = business_day(utc_now()).isoformat()


def acts_in(api: Api, service: str, subject: str) -> list[Act]:
    """What is on record in a service's own database."""
    database = Database(api.stage.settings.database_url_of(service))
    with database.read() as session:
        rows = acts.about(session, subject)
    database.close()
    return rows


def act_of(api: Api, service: str, subject: str, what: str) -> dict[str, Any]:
    """The details of the only act of this kind, which names Anna and where she asked from."""
    (act,) = [row for row in acts_in(api, service, subject) if row.what == what]
    assert (act.who, act.office, act.address) == ("anna", None, "127.0.0.1")
    assert not any(secret in act.details for secret in (IBAN, SIGNER, ADDRESS))
    return acts.details_of(act)


def ask(api: Api, method: str, path: str, scope: str, body: Any = None) -> None:
    answer = api.call(method, path, api.token(scope), json=body)
    assert answer.status_code in (200, 202), answer.text


def test_a_signature_a_correction_and_credentials_leave_a_name(api: Api) -> None:
    # Given a customer whose order Anna of KING signs,
    customer = api.sign_up()
    reference = api.order_of(customer)
    today = business_day(utc_now()).isoformat()
    signature = {
        "method": "post", "signed_on": today, "signed_by": SIGNER, "iban": IBAN,
        "account_holder": SIGNER,
    }  # fmt: skip
    ask(api, "POST", f"/api/orders/{reference}/signature", "orders:confirm", signature)
    api.report(api.to_collect(reference))
    api.waits_for(customer, "ready_to_activate")
    # whose address she corrects, to whom she sends credentials,
    contact = {"email": ADDRESS}
    ask(api, "PATCH", f"/api/onboardings/{customer}/contact", "contacts:amend", contact)
    ask(api, "POST", f"/api/activations/{customer}", "users:activate", {"channel": "email"})
    # and whom she withdraws,
    reason = {"reason": "gestopt"}
    ask(api, "POST", f"/api/signups/{customer}/withdraw", "signup:withdraw", reason)
    # When the acts are looked at, Then each bears her name, and what she decided.
    signed = act_of(api, "billing", customer, "billing.sign_order")
    assert signed == {
        "order_reference": reference, "method": "post", "signed_on": today,
    }  # fmt: skip
    amended = act_of(api, "activation", customer, "activation.amend_contact")
    assert amended == {"changes": ["email"]}
    activated = act_of(api, "activation", customer, "activation.activate")
    assert activated == {"channel": "email"}
    assert act_of(api, "signup", customer, "signup.withdraw") == reason
    # What KING reported bears the name of whoever brought it.
    (report,) = [
        row for row in acts_in(api, "billing", customer) if row.what == "collection.result.v1"
    ]
    assert report.who == "tester"


def test_what_an_office_decides_leaves_a_name(api: Api) -> None:
    customer = api.sign_up("0077")
    api.waits_for(customer, "review")
    path, reason = f"/api/registrations/{customer}/decline", {"reason": "al klant"}
    ask(api, "POST", path, "registrations:review", reason)
    assert act_of(api, "registration", customer, "registration.decline") == reason


def test_a_changed_office_leaves_a_name(api: Api) -> None:
    body = {"name": "West", "email": ADDRESS, "language": "nl", "review": "always"}
    ask(api, "PUT", "/api/offices/0066", "offices:manage", body)
    details = act_of(api, "signup", office_subject("0066"), "signup.put_office")
    assert (details["code"], details["review"]) == ("0066", "always")
