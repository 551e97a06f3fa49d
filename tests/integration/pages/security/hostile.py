"""An office, its staff, customers and payers who type markup wherever they can."""

import email
import email.policy
import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from shared.links import Purpose
from tests.integration.pages.security.everything import Everything
from tests.integration.pages.security.markup import HOSTILE, MARK
from tests.servers.premises import wait_until

OFFICE = "0066"
CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)
NUMBERED = cycle(range(1_000_000))


def texts() -> Iterator[str]:
    """Hostile texts in turn, each its own."""
    yield from (f"{text} {next(NUMBERED)}" for text in cycle(HOSTILE))


def hostile_form(everything: Everything, typed: Iterator[str]) -> dict[str, Any]:
    """A sign-up with a hostile text in every field that takes one."""
    form = everything.api.form(OFFICE)
    customer = form["customer"]
    customer["company"] = next(typed)
    customer["address"] |= {"street": next(typed), "city": next(typed), "number": "1 <b>"}
    customer["contact"] = {"first_name": next(typed), "infix": "<i>", "last_name": next(typed)}
    form["payer"] |= {"kind": "other", "name": next(typed), "email": "betaler@elders.example"}
    form["payer"]["account_holder"] = next(typed)
    form["remarks"] = next(typed)
    form["terms"]["version"] = next(typed)
    return form


def sign_up(everything: Everything, typed: Iterator[str]) -> str:
    """A customer of that kind; fields that do not take such a text keep what they had."""
    form = hostile_form(everything, typed)
    answer = everything.api.ask("POST", "/api/signups", json=form)
    for _ in range(10):
        if answer.status_code == 202:
            return str(answer.json()["onboarding_id"])
        for error in answer.json()["errors"]:
            *path, last = error["field"].split(".")
            inner = form
            for part in path:
                inner = inner[part]
            inner[last] = f"{MARK} <b>"[: 3 if last == "number" else None]
        answer = everything.api.ask("POST", "/api/signups", json=form)
    raise AssertionError(answer.text)


def hostile_house(everything: Everything) -> Everything:
    """The same house with an office, staff and customers who all try us, at several steps."""
    stage, typed = everything.stage, texts()
    stage.open_office(OFFICE, name=next(typed), phone="<b>06</b>", review="always")
    house = Everything(stage, everything.app, OFFICE, f"{MARK}<script>alert(1)</script>")
    waiting, declined, withdrawn, customer = (sign_up(everything, typed) for _ in range(4))
    office = house.staff["activator"]
    for one in (waiting, declined, customer):
        path = f"/api/registrations/{one}"
        wait_until(lambda: everything.api.ask("GET", path).status_code == 200, "heard of", 20)  # noqa: B023
    office.post(f"/registrations/{declined}/decline", reason=next(typed))
    office.post(f"/registrations/{customer}/register")
    house.__dict__ |= {
        "leaver": withdrawn,
        "customer": customer,
        "order": everything.api.order_of(customer),
    }
    link = house.token(Purpose.WITHDRAW, withdrawn)
    house.somebody.post(f"/withdraw/{link}", reason=next(typed))
    _sign_online(house, customer, typed)
    house.others = [waiting, declined, withdrawn]
    wait_until(lambda: stage.blockers(declined) == ["declined"], "it is declined", 20)
    house.prepare()
    return house


def _sign_online(house: Everything, customer: str, typed: Iterator[str]) -> None:
    """The payer signs with a hostile name and place; the code comes by mail."""
    page = house.somebody.post(
        f"/sign/{house.token(Purpose.SIGN, customer)}/online",
        {"signed_by": next(typed), "place": f"{MARK}<b>", "accepted": "yes", "shown_in": "nl"},
    )
    assert page.status_code == 200, page.text

    def mailed() -> list[str]:
        mails = sorted((house.stage.settings.data_dir / "mail").glob("*-signing_code-*.eml"))
        texts = [path.read_text() for path in mails]
        return [text for text in texts if house.order in text]

    wait_until(lambda: bool(mailed()), "the code was mailed", 20)
    mail = email.message_from_string(mailed()[0], policy=email.policy.default)
    body = mail.get_body(("plain",))
    code = CODE.search(body.get_content() if body else "")
    assert code is not None
    signed = house.somebody.post(page.url.path, code=code[1])
    assert "ontvangen" in signed.text
