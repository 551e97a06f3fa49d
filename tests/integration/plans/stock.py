"""What a service has in its tables after long use: the same customers in each of them."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from sqlalchemy import Engine
from sqlmodel import Session

from services.activation.history import HeardFact
from services.activation.models import Activation
from services.activation.search import SearchTerm
from services.billing.models import Collection, Mandate, Order, UnmatchedResult
from services.registration.models import BaseAdministration, Registration
from services.signup.models import Office, Signup
from shared.notifications.tables import Notification
from shared.persistence.bulk import insert_rows
from shared.processing.store.tables import Inbox, Outbox

Row = dict[str, Any]
GOLDEN = Path(__file__).parents[2] / "contract" / "golden"
BEGAN = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
PORTION = 2_000
OFFICES = 50
OFFICE = "0042"
"""One of them, which has as many customers as each."""


def golden(event_type: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((GOLDEN / f"{event_type}.json").read_bytes())
    return document


@cache
def onboarding(number: int) -> str:
    return str(uuid5(NAMESPACE_DNS, f"{number}.klant.example"))


def office(number: int) -> str:
    return f"{number % OFFICES:04}"


def moment(number: int) -> datetime:
    """Ten customers come at the very same moment, as those of one batch do."""
    return BEGAN + timedelta(minutes=number // 10)


def reference(number: int) -> str:
    return f"O-2025-{number:06}"


STANDINGS = {
    3: ("BEVESTIGEN", "payer", "signature_missing"),
    4: ("VRIJGEVEN", "king", "collection_expected"),
    9: ("ACTIVEREN", "office", "ready_to_activate"),
    10: ("AANMELDEN", "office", "review"),
}
"""Where customers stand, who must act, and upon what; all others are done."""

ACCEPTED = golden("signup.accepted.v1")["data"]
COMPLETED = golden("registration.completed.v1")["data"]
BOOKED = golden("collection.result.v1")["data"]


def inbox(number: int) -> Row:
    row: Row = {
        "id": onboarding(number),
        "type": "t",
        "digest": "d",
        "status": "done",
        "attempts": 0,
    }
    return row | {"received_at": moment(number)}


def outbox(number: int) -> Row:
    at = moment(number)
    row: Row = {"id": onboarding(number), "type": "t", "subject": "s", "body": b"x", "attempts": 0}
    return row | {"created_at": at, "leased_until": at, "published_at": at}


def notification(number: int) -> Row:
    row: Row = {"id": onboarding(number), "onboarding_id": onboarding(number), "kind": "k"}
    row |= {"channel": "email", "recipient": "a", "language": "nl", "params": {}, "attempts": 1}
    return row | {"status": "sent", "created_at": moment(number)}


def signup(number: int) -> Row:
    row: Row = {"onboarding_id": onboarding(number), "status": "completed", "digest": "d" * 64}
    row |= {"reference": f"S-2025-{number:06}", "office_code": office(number)}
    return row | {
        "package_code": "compleet",
        "kvk": f"{number:08}",
        "company_key": f"bakkerij {number}/k{number}@bakkerij.example",
        "accepted": ACCEPTED,
        "submitted_at": moment(number),
    }


def accounting_office(number: int) -> Row:
    row: Row = {
        "code": f"kantoor-{number:05}",
        "name": "K",
        "email": "k@k.example",
        "language": "nl",
    }
    row |= {"review": "flagged", "base_administration": "standard", "pays_for_customers": False}
    row["pays_unseen"] = False
    return row


def registration(number: int) -> Row:
    odd = {7: "review", 11: "declined", 13: "withdrawn"}
    return {
        "onboarding_id": onboarding(number),
        "status": odd.get(number // OFFICES % 20, "registered"),
        "office_code": office(number),
        "reference": f"S-2025-{number:06}",
        "customer_number": f"K-{number}",
        "administration_number": f"A-{number}",
        "accepted": ACCEPTED,
        "heard_at": moment(number),
    }


def base_administration(number: int) -> Row:
    row: Row = {"key": f"{number}/bakkers", "code": "bakkers", "office_code": str(number)}
    return row | {"name": "Bakkers", "chart_id": "c"}


def order(number: int) -> Row:
    """Every other customer's office pays for him; few have yet to sign."""
    row: Row = {"onboarding_id": onboarding(number), "reference": reference(number)}
    row |= {"office_code": office(number), "registered": COMPLETED, "amount_cents": 4235}
    row |= {"currency": "EUR", "placed_on": date(2026, 11, 2), "withdrawn": False, "revision": 1}
    nth = number // OFFICES % 20
    stage = {3: "signed", 7: "suspended"}.get(nth, "released")
    row |= {"mandate_key": mandate_key(number), "company_key": f"bakkerij {number}"}
    row |= {"standing": {"signed": "open", "suspended": "taken_back"}.get(stage, stage)}
    if number % 40 == 2:
        return row | {"signed_on": None, "standing": "open", "stage": "unsigned"}
    return row | {"signed_on": date(2026, 11, 9), "stage": stage}


def mandate_key(number: int) -> str:
    return f"office/{office(number)}" if number % 2 else f"order/{reference(number)}"


def mandate(number: int) -> Row:
    whose = mandate_key(number) if number < OFFICES else f"order/{reference(number)}"
    row: Row = {"key": whose, "reference": f"M-{number}", "scheme": "CORE", "account_holder": "A"}
    return row | {"iban": "NL91ABNA0417164300", "signed_on": date(2026, 11, 9)}


def collection(number: int) -> Row:
    """Few are still to be collected, and few wait for a person."""
    own = f"{reference(number)}-1"
    row: Row = {"key": f"{reference(number)}/{own}", "order_reference": reference(number)}
    row |= {"end_to_end_id": own, "onboarding_id": onboarding(number), "attempt": 1}
    row |= {"office_code": office(number), "amount_cents": 4235, "currency": "EUR", "results": []}
    nth = number // OFFICES % 20
    odd = BOOKED | {"order_reference": reference(number), "end_to_end_id": own}
    row |= {"results": [odd | {"status": "succeeded", "amount_cents": 4236}] if nth == 5 else []}
    return row | {"status": "requested" if nth == 3 else "succeeded", "held": int(nth == 5)}


def unmatched(number: int) -> Row:
    row: Row = {
        "id": onboarding(number),
        "open": int(number % 100 == 0),
        "received_at": moment(number),
    }
    return row | {"order_reference": "O-X", "end_to_end_id": f"E-{number}", "result": BOOKED}


def activation(number: int) -> Row:
    row: Row = {"onboarding_id": onboarding(number), "facts": {}, "office_code": office(number)}
    row |= {"company": "Bakkerij", "heard_at": moment(number), "attempt": 0, "wrong_tries": 0}
    row |= {"login_name": f"klant{number}", "login_base": f"klant{number}"}
    row |= {"reference": f"S-2025-{number:06}", "order_reference": reference(number)}
    row |= {"customer_number": f"K-{number}", "administration_number": f"A-{number}"}
    step, actor, blocker = STANDINGS.get(number // OFFICES % 20, ("", "nobody", ""))
    row |= {"blocker": blocker, "since": moment(number) if blocker else None}
    return row | {"ready": step == "ACTIVEREN", "step": step, "actor": actor}


def heard_fact(number: int) -> Row:
    row: Row = {"id": onboarding(number), "onboarding_id": onboarding(number % 1000)}
    return row | {"at": moment(number), "type": "customer.released.v1", "details": {}}


def search_term(number: int) -> Row:
    """Each customer is found by two terms, half of all by the same word."""
    whose = number // 2
    term = f"bakkerij {whose}" if number % 2 else f"klant{whose}@bakkerij.example"
    row: Row = {"id": f"{onboarding(whose)}/{number % 2}", "onboarding_id": onboarding(whose)}
    return row | {"office_code": office(whose), "term": term}


OWN: Mapping[str, Mapping[Any, Callable[[int], Row]]] = {
    "signup": {Signup: signup, Office: accounting_office},
    "registration": {Registration: registration, BaseAdministration: base_administration},
    "billing": {
        Order: order,
        Mandate: mandate,
        Collection: collection,
        UnmatchedResult: unmatched,
    },
    "activation": {Activation: activation, HeardFact: heard_fact, SearchTerm: search_term},
}
SHARED: Mapping[Any, Callable[[int], Row]] = {
    Inbox: inbox,
    Outbox: outbox,
    Notification: notification,
}


def tables(service: str) -> Iterator[tuple[Any, Callable[[int], Row]]]:
    """The service's tables, each with how a row of it is made."""
    yield from {**OWN[service], **SHARED}.items()


def stock(engine: Engine, service: str, count: int) -> None:
    """So many rows in each of the service's tables."""
    with Session(engine) as session, session.begin():
        for model, row in tables(service):
            for start in range(0, count, PORTION):
                insert_rows(
                    session,
                    model,
                    [row(number) for number in range(start, min(start + PORTION, count))],
                )
