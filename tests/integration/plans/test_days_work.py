"""However much is kept, what a day's work asks of a database it finds by an index."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from infra.composition import service_names
from tests.integration.plans import stock
from tests.integration.plans.conftest import MakeVeteran, Veteran
from tests.integration.plans.planner import noting, objections

OLD = 123
"""A customer who was there already."""


def signup(one: Veteran) -> None:
    """Sign-ups by both ways, one of a company that is known by its number or by its address."""
    form = stock.golden("signup.submitted.v1")["data"]
    customer = form["customer"]
    for company in ({}, {"kvk": f"{OLD:08}"}, {"company": f"Bakkerij {OLD}"}):
        one.ask("POST", "/api/signups", json=form | {"customer": customer | company})
    new = one.hear("signup.submitted.v1")
    one.ask("POST", f"/api/signups/{new}/withdraw")
    for event_type in ("registration.declined", "customer.activated", "customer.logged_in"):
        one.hear(f"{event_type}.v1", stock.onboarding(OLD))
    office = {"name": "Noord", "email": "k@noord.example"}
    one.ask("PUT", "/api/offices/0099", json=office)
    one.ask("GET", "/api/offices")


def registration(one: Veteran) -> None:
    """Reviews and decisions, administrations, base administrations, withdrawals."""
    yes, no, gone = (one.hear("signup.accepted.v1") for _ in range(3))
    one.hear("signup.accepted.v1", warnings=[])
    body = {"customer": {"company": "De Korenaar"}}
    one.ask("PATCH", f"/api/registrations/{yes}", json=body)
    for old in (f"S-2025-{OLD:06}", f"K-{OLD}", f"A-{OLD}", yes):
        one.ask("GET", f"/api/registrations/{old}")
    one.ask("POST", f"/api/registrations/{yes}/register")
    one.ask("POST", f"/api/registrations/{no}/decline", json={"reason": "al klant"})
    one.hear("onboarding.withdrawn.v1", gone)
    one.ask("GET", f"/api/registrations/{yes}/administration")
    account = {"number": "8000", "name": "Omzet", "rgs": "WOmz", "kind": "result"}
    base = {"name": "Horeca", "accounts": [account]}
    one.ask("PUT", "/api/base-administrations/horeca", json=base)
    one.ask("PUT", "/api/base-administrations/horeca", office=stock.OFFICE, json=base)
    for chosen in (None, {"base_administration": "horeca"}):
        one.ask("POST", f"/api/registrations/{yes}/administration", json=chosen)


def billing(one: Veteran) -> None:
    """Orders of payers and of offices, signatures, results, decisions, reminders."""
    one.hear("registration.completed.v1")
    payer = {"kind": "office"}
    gone = one.hear("registration.completed.v1", payer=payer)
    reference = stock.reference(2)
    for path in ("", "/confirmation.pdf"):
        one.ask("GET", f"/api/orders/{reference}{path}")
    signature = {"method": "post", "signed_on": "2026-11-03", "signed_by": "A. Voorbeeld"}
    # The first is signed by its payer, the other by an office that pays for very many.
    for number in (2, 43):
        path = f"/api/orders/{stock.reference(number)}/signature"
        one.ask("POST", path, 202, 409, json=signature)
    result = stock.BOOKED | {"status": "succeeded", "reason_code": None}
    for number, more in ((2, {}), (OLD, {"amount_cents": 1}), (0, {"order_reference": "O-2"})):
        own = stock.reference(number)
        of = {"order_reference": own, "end_to_end_id": f"{own}-1"} | more
        one.ask("POST", "/api/collection-results", json=result | of)
        one.hear("collection.result.v1", **of)
    decision = {"decision": "dismiss", "reason": "vergissing"}
    listed = one.ask("GET", "/api/held-results?limit=500").json()
    for row in (listed[0], listed[-1], {"result_id": f"{stock.reference(OLD)}.0"}):
        one.ask("POST", f"/api/held-results/{row['result_id']}/decide", 202, 404, json=decision)
    slip = {"reason": "andere order"}
    for number in (2, 43):
        path = f"/api/orders/{stock.reference(number)}/signature"
        one.ask("DELETE", path, 202, 409, json=slip)
    for q in (stock.reference(OLD), f"bakkerij {OLD}"):
        one.ask("GET", f"/api/orders?q={q}")
    deceased = result | {"status": "failed", "reason_code": "MD07"}
    for number in (3, 4):
        of = {"order_reference": stock.reference(number), "end_to_end_id": f"K/{number}"}
        one.ask("POST", "/api/collection-results", json=deceased | of)
    one.hear("onboarding.withdrawn.v1", gone)


def activation(one: Veteran) -> None:
    """All that is heard of a customer; credentials, contact, log-in, password."""
    subject, nameless = stock.onboarding(OLD), str(uuid4())
    sad = ("signup.rejected.v1", "onboarding.withdrawn.v1", "administration.failed.v1")
    for event_type in one.runtime.service.hears:
        one.hear(event_type, stock.onboarding(OLD + 1) if event_type in sad else subject)
        if event_type not in sad:
            one.hear(event_type, nameless)
    for released in (subject, nameless):
        one.hear("customer.released.v1", released, revision=99)
    one.ask("POST", f"/api/activations/{nameless}", json={"channel": "email"})
    one.ask("GET", f"/api/onboardings/{subject}", office=stock.OFFICE)
    one.ask("POST", f"/api/activations/{subject}", json={"channel": "email"})
    one.runtime.sender.deliver_due()
    one.ask("POST", f"/api/activations/{subject}/resend", json={"channel": "email"})
    one.ask("PATCH", f"/api/onboardings/{subject}/contact", json={"email": "b@bakkerij.example"})
    for old in (f"S-2025-{OLD:06}", f"{stock.reference(OLD)}", f"K-{OLD + 2}", f"A-{OLD + 2}"):
        one.ask("GET", f"/api/onboardings/{old}", 200, 404)
        one.ask("GET", f"/api/onboardings?q={old}", office=stock.OFFICE)
    one.ask("GET", f"/api/onboardings/{subject}/history")
    one.ask("GET", "/api/onboardings?q=korenaar", office=stock.OFFICE)
    wrong = {"login_name": f"klant{OLD}", "password": "fout"}
    one.ask("POST", "/api/login", 401, json=wrong)
    change = {"login_name": f"klant{OLD}", "current_password": "a", "new_password": "b"}
    one.ask("POST", "/api/password", 401, json=change)


DAYS: dict[str, Callable[[Veteran], None]] = {
    "signup": signup,
    "registration": registration,
    "billing": billing,
    "activation": activation,
}


@pytest.mark.parametrize("service", service_names())
def test_no_query_of_a_days_work_reads_a_whole_table(veteran: MakeVeteran, service: str) -> None:
    # Given a service with very many rows in every table,
    one = veteran(service)
    # When it has a day's work, and its chores are done, reminders of weeks ahead among them,
    with noting(one.engine) as statements:
        DAYS[service](one)
        one.ahead = timedelta(days=30)
        one.runtime.engine.run_due()
        one.runtime.sender.deliver_due()
        one.runtime.tasks.sweep()
    # Then the database finds each row by an index, and sorts no more than was asked for.
    assert len(statements) >= 15
    assert objections(one.engine, statements, one.tables) == []
