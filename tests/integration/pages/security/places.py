"""Where people and other systems put a text that a page shows later, and on which pages it is.

`hostile` has what a sign-up, an office and an online signature bring; here is what else there is.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

from infra.operations.dead_letters import letters
from services.activation.staff import links
from services.activation.staff.sessions import StaffMember
from shared.host.runtime import Runtime
from shared.links import Purpose
from shared.messaging.bus import Incoming
from shared.processing.store.kept_messages import to_columns
from shared.processing.store.tables import DEAD, Inbox
from shared.trade.calendar import business_day
from tests.e2e.api import Api
from tests.e2e.king import collection_result, say
from tests.integration.pages.security.everything import Everything
from tests.integration.pages.security.markup import MARK
from tests.scopes import token_for
from tests.servers.premises import wait_until
from tests.visitors import Visitor, staff_visitor

NUMBERED = count(1)
Texts = Mapping[str, str]


def text(room: int = 200) -> str:
    """A text that would leave any tag, attribute or template it stands in; each its own."""
    short = f"{next(NUMBERED)}{MARK}\"'><i onclick=a()>"
    return (
        short
        if room < 90
        else f"{short}</title></textarea></script><svg/onload=a()>{MARK}{{{{7*7}}}}"
    )


@dataclass
class House:
    """The running system, people in it whose very names are markup, and what they saw."""

    everything: Everything
    name: str = field(default_factory=lambda: text(60))
    seen: list[httpx.Response] = field(default_factory=list)

    @property
    def api(self) -> Api:
        return self.everything.api

    def staff(self, role: str) -> Visitor:
        stage = self.everything.stage
        office = self.everything.office if role == "activator" else None
        return staff_visitor(stage.settings, self.api.address, role, office, self.name)

    def runtime(self, service: str) -> Runtime:
        runtimes = self.everything.stage.runtimes
        return next(runtime for runtime in runtimes if runtime.service.name == service)

    def look(self, visitor: Visitor, *paths: str) -> None:
        """Open pages, whole and as the part that a script fetches."""
        for path in paths:
            for headers in ({}, {"HX-Request": "true"}):
                self.seen.append(visitor.http.get(path, headers=headers).raise_for_status())

    def post(self, visitor: Visitor, path: str, **fields: str) -> httpx.Response:
        """Post a form and read what is answered, be it that it is refused."""
        answer = visitor.post(path, fields)
        assert answer.status_code in (200, 409, 422), f"{path}: {answer.status_code}"
        self.seen.append(answer)
        return answer

    def order(self, **signup: Any) -> tuple[str, str]:
        """A customer who waits for the signature, and the order's reference."""
        customer = self.api.sign_up(**signup)
        return customer, self.api.order_of(customer)


Fill = Callable[[House], Texts]
PLACES: dict[str, Fill] = {}
"""By what is filled in; each returns the texts by their fields, and has looked where they show."""


def place(fill: Fill) -> Fill:
    PLACES[fill.__name__] = fill
    return fill


@place
def a_paper_recorded_and_taken_back(house: House) -> Texts:
    customer, order = house.order(payer={"kind": "customer"})
    texts = {name: text() for name in ("account_holder", "signed_by", "another", "reason")}
    king, path = house.staff("king"), f"/orders/{order}"
    day = business_day(house.everything.stage.clock()).isoformat()
    paper = {"method": "fax", "signed_on": day, "account_holder": texts["account_holder"]}
    iban = "NL20INGB0001234567"
    house.post(king, f"{path}/signature", **paper, iban=iban, signed_by=texts["signed_by"])
    house.look(king, path, f"{path}/story", f"{path}/part", f"{path}/returned", "/orders")
    # Another name on the same paper: what stands there and what was typed, beside each other.
    house.post(king, f"{path}/signature", **paper, signed_by=texts["another"])
    house.post(king, f"{path}/signature/withdraw", reason=texts["reason"])
    house.look(king, path, f"{path}/story", f"{path}/part")
    house.look(house.staff("activator"), f"/onboardings/{customer}")
    return texts | {"who": house.name}


@place
def a_result_held_and_decided(house: House) -> Texts:
    _, order = house.order()
    assert house.api.sign(order).status_code == 202
    texts = {name: text(35) for name in ("end_to_end_id", "reason_code")} | {"why": text()}
    unknown = text(35)
    report = house.api.to_collect(order) | {"status": "failed", "amount_cents": 1}
    for order_reference, mark in ((order, texts["end_to_end_id"]), (unknown, text(35))):
        changes = {"order_reference": order_reference, "end_to_end_id": mark}
        answer = house.api.report(report, **changes, reason_code=texts["reason_code"])
        assert answer.status_code == 202, answer.text
    held = house.api.ask("GET", "/api/held-results", params={"limit": 500}).json()
    king = house.staff("king")
    for row in held:
        if row["order_reference"] in (order, unknown):
            path = f"/held-results/{row['result_id']}"
            house.look(king, path, "/held-results")
            house.post(king, path, decision="accept", reason=texts["why"])
            house.post(king, path, decision="dismiss", reason=texts["why"])
    house.look(king, f"/orders/{order}", f"/orders/{order}/story")
    return texts | {"order_reference": unknown}


@place
def a_sign_up_corrected_and_declined(house: House) -> Texts:
    house.everything.stage.open_office("0042", review="always")
    try:
        customer = house.api.to_check("0042", remarks="x")
    finally:
        house.everything.stage.open_office("0042")
    names = ("customer.company", "customer.contact.last_name", "customer.address.city")
    texts = {name: text(60) for name in (*names, "payer.account_holder")} | {"reason": text()}
    office, path = house.staff("activator"), f"/registrations/{customer}"
    corrected = {name: texts[name] for name in texts if "." in name}
    house.post(office, f"{path}/correct", **corrected)
    house.look(office, path, f"{path}/part", f"{path}/correct", "/registrations")
    house.post(office, f"{path}/decline", reason=texts["reason"])
    house.api.waits_for(customer, "declined")
    house.look(office, path, f"{path}/part", f"/onboardings/{customer}", f"/?q={customer}")
    return texts | {"who": house.name}


@place
def a_sign_up_withdrawn_by_staff(house: House) -> Texts:
    customer, reason, office = house.api.sign_up(), text(), house.staff("activator")
    house.post(office, f"/signups/{customer}/withdraw", reason=reason)
    house.api.waits_for(customer, "withdrawn")
    house.look(office, f"/signups/{customer}/part", f"/onboardings/{customer}")
    return {"reason": reason, "who": house.name}


@place
def books_copied_from_a_base_with_a_name(house: House) -> Texts:
    code, name = text(35), text()
    stage = house.everything.stage
    stage.open_office("0099", base_administration=code)
    customer = house.api.sign_up("0099")
    house.api.waits_for(customer, "administration_failed")
    office = staff_visitor(stage.settings, house.api.address, "office", "0099", house.name)
    house.look(office, f"/registrations/{customer}", f"/onboardings/{customer}")
    token = token_for(stage.key, "administrations:create", office="0099", name=house.name)
    answer = house.api.call("PUT", "/api/base-administrations/own", token, json={"name": name})
    assert answer.status_code == 200, answer.text
    house.look(office, f"/registrations/{customer}")
    again = {"base_administration": "own"}
    path = f"/api/registrations/{customer}/administration"
    assert house.api.call("POST", path, token, json=again).status_code == 202
    house.look(office, f"/registrations/{customer}", f"/registrations/{customer}/part")
    house.look(house.staff("king"), "/offices/0099")
    return {"base_administration": code, "name": name, "token": house.name}


@place
def a_letter_with_all_that_a_message_may_come_with(house: House) -> Texts:
    names = ("exchange", "routing_key", "content_type", "message_id", "user_id", "type")
    texts = {name: text() for name in (*names, "error", "header", "value", "body", "kept_type")}
    incoming = Incoming(
        json.dumps({texts["body"]: texts["body"]}).encode(),
        headers={texts["header"]: texts["value"]},
        exchange=texts["exchange"],
        routing_key=texts["routing_key"],
        content_type=texts["content_type"],
        message_id=texts["message_id"],
        user_id=texts["user_id"],
        type=texts["type"],
    )
    letter_id, billing = str(uuid4()), house.runtime("billing")
    row = Inbox(
        id=letter_id,
        type=texts["kept_type"],
        digest="d",
        status=DEAD,
        received_at=house.everything.stage.clock(),
        attempts=6,
        error=texts["error"],
        **to_columns(incoming),
    )
    with billing.database.begin() as session:
        session.add(row)
    _look_at(house, letter_id, text())
    # JSON writes a quotation mark as two signs, and so the body is shown.
    return texts | {"body": json.dumps(texts["body"])}


@place
def a_letter_refused_with_what_it_says(house: House) -> Texts:
    value, notes = text(), {name: text() for name in ("note", "why", "correction")}
    kept = {"billing": house.runtime("billing").database}
    before = {letter.id for letter in letters.find(kept)}
    event = collection_result() | {"data": {"attempt": value, "status": value}}
    say(house.everything.stage, event)

    def dead() -> set[str]:
        return {letter.id for letter in letters.find(kept)} - before

    wait_until(lambda: bool(dead()), "billing has refused it", 20)
    (letter_id,) = dead()
    operator, path = house.staff("operator"), f"/operations/billing/letters/{letter_id}"
    house.post(operator, f"{path}/care", note=notes["note"], mine="yes", on_hold="yes")
    event["data"] = {"attempt": notes["correction"]}
    for action in ("rehearse", "retry"):
        changed = json.dumps(event)
        house.post(operator, f"{path}/correct", body=changed, action=action, why=notes["why"])
    house.post(operator, f"{path}/correct", body=notes["correction"], action="retry", why="x")
    _look_at(house, letter_id, notes["why"])
    return notes | {"value": json.dumps(value), "owner": house.name}


def _look_at(house: House, letter_id: str, why: str) -> None:
    """Open all that shows a letter, retry it with a reason, drop it, and open that again."""
    operator, path = house.staff("operator"), f"/operations/billing/letters/{letter_id}"
    house.look(operator, path, f"{path}/standing", f"{path}/correct", f"{path}/rehearsal")
    house.look(operator, "/operations", *(f"/operations/billing{at}" for at in ("", "/list")))
    listed = operator.get("/operations/billing").text
    for group in set(re.findall(r'"(/operations/billing/groups/[0-9a-f]+)"', listed)):
        house.look(operator, group, f"{group}/rehearsal")
    house.post(operator, f"{path}/retry", why=why)
    house.post(operator, f"{path}/drop", why=why)
    house.look(operator, path, f"{path}/standing")


@place
def a_scan_with_a_name(house: House) -> Texts:
    customer, order = house.order()
    somebody = Visitor(house.everything.stage.settings, house.api.address)
    path = f"/sign/{house.everything.token(Purpose.SIGN, customer)}"
    name = text().replace('"', "") + ".pdf\r\nX-Typed: yes"
    answer = somebody.http.post(
        f"{path}/scan",
        data={"form_key": str(uuid4())},
        files={"scan": (name, b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF\n", "text/html")},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 200, answer.text
    king = house.staff("king")
    house.look(king, f"/orders/{order}", f"/orders/{order}/returned")
    house.look(somebody, path)
    # What it was called is not even kept.
    (scan,) = set(re.findall(r'href="(/orders/[^"]+/scans/[^"]+)"', house.seen[0].text))
    file = king.get(scan)
    named = re.compile(r'attachment; filename="scan-O-[0-9-]+-[0-9a-f]{8}\.pdf"')
    assert named.fullmatch(file.headers["content-disposition"])
    assert file.headers["content-type"] == "application/pdf"
    assert not any("x-typed" in page.text.lower() for page in house.seen)
    return {}


@place
def a_link_for_somebody_with_a_name(house: House) -> Texts:
    member = StaffMember.of(text(60), "king", None)
    somebody = Visitor(house.everything.stage.settings, house.api.address)
    path, _ = links.make(somebody.site.links, member, house.everything.stage.clock())
    house.look(somebody, path)
    house.post(somebody, path)
    house.look(somebody, "/", "/offices")
    return {"name": member.name}
