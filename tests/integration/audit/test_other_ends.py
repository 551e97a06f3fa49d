"""Customers whose way ends otherwise: the books balance whatever banks, offices and people do."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.demo.simulators import website
from infra.demo.simulators.fates import FATES, Report, by_account
from infra.operations.audit.closing import close_books
from infra.operations.audit.queues import EMBEDDED
from services.activation.models import Activation
from services.registration.models import Registration
from services.signup.models import Signup
from shared.events import CollectionRequested
from shared.host.settings import Settings
from shared.trade.calendar import business_day
from tests.e2e.stage import Stage, one_process
from tests.integration.audit.conftest import Spoiler, opened
from tests.servers.premises import wait_until

TWICE_SHORT, REFUNDED, SILENT, CLOSED, UNREGISTERED = (fate.iban for fate in FATES)
SOON = timedelta(milliseconds=300)


def sooner(request: CollectionRequested) -> Sequence[Report]:
    """What the account is fated to, with the refund shortly after the release."""
    reports = by_account(request)
    return [report._replace(after=SOON) if report.after else report for report in reports]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("ends")
    with one_process(Settings(data_dir=folder, http_port=0)) as stage:
        stage.king.plan = sooner
        stage.open_office("0077", review="always", email="kantoor@zuid.example")
        yield stage


def sign_up(stage: Stage, number: int, iban: str, office: str = "0042") -> str:
    shipped = len(website.examples())
    form: dict[str, Any] = list(website.signups(shipped + number, office, seed=77))[-1]["data"]
    form["customer"].pop("kvk", None)
    form["payer"] |= {"iban": iban}
    answer = stage.ask("POST", "signup", "/api/signups", json=form)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["onboarding_id"])


def sign(stage: Stage, onboarding_id: str) -> None:
    wait_until(lambda: "signature_missing" in stage.blockers(onboarding_id), "it is to be signed")
    reference = (stage.onboarding(onboarding_id) or {})["order_reference"]
    body = {"method": "post", "signed_on": business_day(datetime.now(UTC)).isoformat()}
    answer = stage.ask(
        "POST", "billing", f"/api/orders/{reference}/signature", json=body | {"signed_by": "A. Bos"}
    )
    assert answer.status_code == 202, answer.text


def await_blocker(stage: Stage, onboarding_id: str, code: str) -> None:
    wait_until(lambda: code in stage.blockers(onboarding_id), f"{code} is what it waits for")


@pytest.fixture(scope="module")
def ended(stage: Stage) -> dict[str, str]:
    """A customer for each end, by what it is called."""
    accounts = [TWICE_SHORT, REFUNDED, SILENT, CLOSED, UNREGISTERED]
    customers = {iban: sign_up(stage, number, iban) for number, iban in enumerate(accounts, 1)}
    for customer in customers.values():
        sign(stage, customer)
    gone, declined = sign_up(stage, 8, SILENT), sign_up(stage, 9, SILENT, "0077")
    await_blocker(stage, gone, "signature_missing")
    body = {"reason": "toch niet", "by": "klant"}
    assert stage.ask("POST", "signup", f"/api/signups/{gone}/withdraw", json=body).is_success
    await_blocker(stage, declined, "review")
    path = f"/api/registrations/{declined}/decline"
    assert stage.ask("POST", "registration", path, json={"reason": "geen klant"}).is_success
    await_blocker(stage, gone, "withdrawn")
    await_blocker(stage, declined, "declined")
    return customers | {"gone": gone, "declined": declined}


def told(stage: Stage, onboarding_id: str) -> list[str]:
    path = f"/api/onboardings/{onboarding_id}/history"
    return [entry["what"] for entry in stage.ask("GET", "activation", path).json()]


def test_each_account_ends_as_it_is_fated_to(stage: Stage, ended: dict[str, str]) -> None:
    # Given payers with accounts of each kind, When KING's stand-in collects from them,
    # Then a closed account and a mandate that the bank does not know fail,
    for iban in (TWICE_SHORT, CLOSED, UNREGISTERED):
        await_blocker(stage, ended[iban], "collection_failed")
    # of silence nothing is heard, and who has the money back was released before.
    await_blocker(stage, ended[REFUNDED], "release_withdrawn")
    assert stage.blockers(ended[SILENT]) == ["collection_expected"]
    story = told(stage, ended[REFUNDED])
    assert "customer.released.v1" in story
    assert story[-1] != "customer.released.v1"


def test_whatever_the_end_the_books_balance(stage: Stage, ended: dict[str, str]) -> None:
    for iban in (TWICE_SHORT, CLOSED, UNREGISTERED):
        await_blocker(stage, ended[iban], "collection_failed")
    await_blocker(stage, ended[REFUNDED], "release_withdrawn")
    with opened(stage.settings) as ledgers:
        wait_until(lambda: not close_books(ledgers, EMBEDDED, pause=0).suspects, "all is said")
        books = close_books(ledgers, EMBEDDED)
    assert books.findings == []
    assert (books.customers.accepted, books.customers.arrived) == (7, 7)


@pytest.mark.parametrize(
    ("end", "service", "model", "change", "event"),
    [
        ("gone", "registration", Registration, {"status": "registered"}, "onboarding.withdrawn.v1"),
        ("gone", "activation", Activation, {"facts": {}}, "onboarding.withdrawn.v1"),
        ("declined", "signup", Signup, {"status": "accepted"}, "registration.declined.v1"),
        (REFUNDED, "activation", Activation, {"facts": {}}, "customer.release_withdrawn.v1"),
    ],
)
def test_who_was_not_told_of_the_end_is_named(
    stage: Stage,
    ended: dict[str, str],
    end: str,
    service: str,
    model: Any,
    change: dict[str, Any],
    event: str,
) -> None:
    # Given a service that goes on as if the customer were still on their way,
    await_blocker(stage, ended[REFUNDED], "release_withdrawn")
    with opened(stage.settings) as ledgers, ExitStack() as mending:
        spoiler = Spoiler(stage, ledgers, [ended[end]], mending)
        table = model.__table__
        (row,) = spoiler.rows(service, table, table.c.onboarding_id == ended[end])
        spoiler.change(service, table, row, **change)
        # When the books are closed, Then it is named, with what it was not told.
        lost = [it.sentence for it in spoiler.close().findings if it.kind == "lost"]
    assert f"has said {event}, and {service} does not know of it" in " ".join(lost)
    assert all(ended[end] in sentence for sentence in lost)
