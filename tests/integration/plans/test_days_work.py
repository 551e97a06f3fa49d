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


def signup(running: Veteran) -> None:
    """Sign-ups by both ways, one of a company that is known by its number or by its address."""
    form = stock.golden("signup.submitted.v1")["data"]
    customer = form["customer"]
    for company in ({}, {"kvk": f"{OLD:08}"}, {"company": f"Bakkerij {OLD}"}):
        running.ask("POST", "/api/signups", json=form | {"customer": customer | company})
    new = running.hear("signup.submitted.v1")
    running.ask("POST", f"/api/signups/{new}/withdraw")
    for event_type in ("registration.declined", "customer.activated", "customer.logged_in"):
        running.hear(f"{event_type}.v1", stock.onboarding(OLD))
    office = {"name": "Noord", "email": "k@noord.example"}
    running.ask("PUT", "/api/offices/0099", json=office)
    running.ask("GET", "/api/offices")


def registration(running: Veteran) -> None:
    """Reviews and decisions, administrations, base administrations, withdrawals."""
    yes, no, gone = (running.hear("signup.accepted.v1") for _ in range(3))
    running.hear("signup.accepted.v1", warnings=[])
    body = {"customer": {"company": "De Korenaar"}}
    running.ask("PATCH", f"/api/registrations/{yes}", json=body)
    for old in (f"S-2025-{OLD:06}", f"K-{OLD}", f"A-{OLD}", yes):
        running.ask("GET", f"/api/registrations/{old}")
    running.ask("POST", f"/api/registrations/{yes}/register")
    running.ask("POST", f"/api/registrations/{no}/decline", json={"reason": "al klant"})
    running.hear("onboarding.withdrawn.v1", gone)
    running.ask("GET", f"/api/registrations/{yes}/administration")
    account = {"number": "8000", "name": "Omzet", "rgs": "WOmz", "kind": "result"}
    base = {"name": "Horeca", "accounts": [account]}
    running.ask("PUT", "/api/base-administrations/horeca", json=base)
    running.ask("PUT", "/api/base-administrations/horeca", office=stock.OFFICE, json=base)
    for chosen in (None, {"base_administration": "horeca"}):
        running.ask("POST", f"/api/registrations/{yes}/administration", json=chosen)


def billing(running: Veteran) -> None:
    """Orders of payers and of offices, signatures, results, decisions, reminders."""
    running.hear("registration.completed.v1")
    payer = {"kind": "office"}
    gone = running.hear("registration.completed.v1", payer=payer)
    reference = stock.reference(2)
    for path in ("", "/confirmation.pdf"):
        running.ask("GET", f"/api/orders/{reference}{path}")
    signature = {"method": "post", "signed_on": "2026-11-03", "signed_by": "A. Voorbeeld"}
    # The first is signed by its payer, the other by an office that pays for very many.
    for number in (2, 43):
        path = f"/api/orders/{stock.reference(number)}/signature"
        running.ask("POST", path, 202, 409, json=signature)
    result = stock.BOOKED | {"status": "succeeded", "reason_code": None}
    for number, more in ((2, {}), (OLD, {"amount_cents": 1}), (0, {"order_reference": "O-2"})):
        own = stock.reference(number)
        of = {"order_reference": own, "end_to_end_id": f"{own}-1"} | more
        running.ask("POST", "/api/collection-results", json=result | of)
        running.hear("collection.result.v1", **of)
    decision = {"decision": "dismiss", "reason": "vergissing"}
    listed = running.ask("GET", "/api/held-results?limit=500").json()
    for row in (listed[0], listed[-1], {"result_id": f"{stock.reference(OLD)}.0"}):
        running.ask("POST", f"/api/held-results/{row['result_id']}/decide", 202, 404, json=decision)
    slip = {"reason": "andere order"}
    for number in (2, 43):
        path = f"/api/orders/{stock.reference(number)}/signature"
        running.ask("DELETE", path, 202, 409, json=slip)
    for q in (stock.reference(OLD), f"bakkerij {OLD}"):
        running.ask("GET", f"/api/orders?q={q}")
    deceased = result | {"status": "failed", "reason_code": "MD07"}
    for number in (3, 4):
        of = {"order_reference": stock.reference(number), "end_to_end_id": f"K/{number}"}
        running.ask("POST", "/api/collection-results", json=deceased | of)
    running.hear("onboarding.withdrawn.v1", gone)


def activation(running: Veteran) -> None:
    """All that is heard of a customer; credentials, contact, log-in, password."""
    subject, nameless = stock.onboarding(OLD), str(uuid4())
    sad = ("signup.rejected.v1", "onboarding.withdrawn.v1", "administration.failed.v1")
    for event_type in running.runtime.service.hears:
        running.hear(event_type, stock.onboarding(OLD + 1) if event_type in sad else subject)
        if event_type not in sad:
            running.hear(event_type, nameless)
    for released in (subject, nameless):
        running.hear("customer.released.v1", released, revision=99)
    running.ask("POST", f"/api/activations/{nameless}", json={"channel": "email"})
    running.ask("GET", f"/api/onboardings/{subject}", office=stock.OFFICE)
    running.ask("POST", f"/api/activations/{subject}", json={"channel": "email"})
    running.runtime.sender.deliver_due()
    running.ask("POST", f"/api/activations/{subject}/resend", json={"channel": "email"})
    running.ask(
        "PATCH", f"/api/onboardings/{subject}/contact", json={"email": "b@bakkerij.example"}
    )
    for old in (f"S-2025-{OLD:06}", f"{stock.reference(OLD)}", f"K-{OLD + 2}", f"A-{OLD + 2}"):
        running.ask("GET", f"/api/onboardings/{old}", 200, 404)
        running.ask("GET", f"/api/onboardings?q={old}", office=stock.OFFICE)
    running.ask("GET", f"/api/onboardings/{subject}/history")
    running.ask("GET", "/api/onboardings?q=korenaar", office=stock.OFFICE)
    wrong = {"login_name": f"klant{OLD}", "password": "fout"}
    running.ask("POST", "/api/login", 401, json=wrong)
    change = {"login_name": f"klant{OLD}", "current_password": "a", "new_password": "b"}
    running.ask("POST", "/api/password", 401, json=change)


DAYS: dict[str, Callable[[Veteran], None]] = {
    "signup": signup,
    "registration": registration,
    "billing": billing,
    "activation": activation,
}


@pytest.mark.parametrize("service", service_names())
def test_no_query_of_a_days_work_reads_a_whole_table(veteran: MakeVeteran, service: str) -> None:
    # Given a service with very many rows in every table,
    running = veteran(service)
    # When it has a day's work, and its chores are done, reminders of weeks ahead among them,
    with noting(running.engine) as statements:
        DAYS[service](running)
        running.ahead = timedelta(days=30)
        running.runtime.engine.run_due()
        running.runtime.sender.deliver_due()
        running.runtime.tasks.sweep()
    # Then the database finds each row by an index, and sorts no more than was asked for.
    assert len(statements) >= 15
    assert objections(running.engine, statements, running.tables) == []
