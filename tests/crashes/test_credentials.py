"""The process is killed while it sends credentials: each customer can log in, by one password."""

import signal
import time
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from email import message_from_bytes, policy
from functools import partial
from pathlib import Path

import httpx
import pytest

from infra.demo.demonstration import PASSWORD
from shared.trade.calendar import business_day
from tests.crashes.books import Bookkeeper
from tests.crashes.conftest import MakePlant, Record
from tests.crashes.ledger import SIGNED_UP, Effects
from tests.crashes.plant import Plant
from tests.servers.premises import wait_until

pytestmark = pytest.mark.faults

CUSTOMERS = 3
DIES = 90.0
RELEASED = Effects(
    (*SIGNED_UP.events, "order.confirmation_signed.v1", "customer.released.v1"),
    (*SIGNED_UP.mails, "customer_released"),
)
ACTIVATED = Effects((*RELEASED.events, "customer.activated.v1"), (*RELEASED.mails, "credentials"))
POINTS = (
    "notification_claim.before",
    "notification_claim.after",
    "send.before",
    "send.after",
    "sent_mark.before",
    "sent_mark.after",
)
LEFT_UNMARKED = ("send.after", "sent_mark.before")
"""Killed here, the message has left and nobody knows: another follows, with another password."""


@pytest.mark.parametrize("ground", ["rabbitmq+postgresql", "embedded+sqlite"])
@pytest.mark.parametrize("point", POINTS)
def test_one_password_is_valid_wherever_the_sender_was_killed(
    ground: str, point: str, make_plant: MakePlant, record: Record
) -> None:
    # Given customers who are ready to be activated
    plant = make_plant(ground)
    plant.king = True
    release_customers(plant)
    # When the process dies while their credentials are sent, and is started again,
    doomed = plant.start("kill", point, 1)
    plant.await_ready()
    activate_all(plant)
    assert doomed.wait(DIES) == -signal.SIGKILL, plant.log.read_text()[-3000:]
    plant.start()
    began = time.monotonic()
    plant.await_ready()
    activate_all(plant)
    ledger = plant.await_settled(ACTIVATED)
    seconds = time.monotonic() - began
    record(
        fault=f"killed at {point} while sending credentials, {ground}",
        submitted=len(plant.submitted),
        ledger=ledger,
        seconds_to_recover=seconds,
    )
    # Then each has his credentials, and of all that were sent to him the last is good, alone.
    ledger.insist()
    sent = letters(plant)
    for onboarding, passwords in sent.items():
        good = [opens(plant, onboarding, password) for password in passwords]
        assert good == [False] * (len(passwords) - 1) + [True]
    assert point not in LEFT_UNMARKED or max(map(len, sent.values())) > 1


def release_customers(plant: Plant) -> None:
    """Customers who have signed, and whose money has come in; the process has ended."""
    plant.start()
    plant.await_ready()
    with plant.load(CUSTOMERS):
        pass
    plant.await_settled().insist()
    for onboarding in plant.submitted.values():
        wait_until(partial(has_order, plant, onboarding), "there is an order")
        reference = standing(plant, onboarding)["order_reference"]
        body = {
            "method": "post",
            "signed_on": business_day(datetime.now(UTC)).isoformat(),
            "signed_by": "De klant",
        }
        path = f"/api/orders/{reference}/signature"
        answer = plant.ask("POST", path, "orders:confirm", json=body)
        assert answer.status_code == 202, answer.text
    plant.await_settled(RELEASED).insist()
    assert plant.stop() == 0


def has_order(plant: Plant, onboarding: str) -> bool:
    return bool(standing(plant, onboarding)["order_reference"])


def standing(plant: Plant, onboarding: str) -> dict[str, str]:
    found: dict[str, str] = plant.ask(
        "GET", f"/api/onboardings/{onboarding}", "onboardings:read"
    ).json()
    return found


def activate_all(plant: Plant) -> None:
    """Press the button for each; who gets no answer presses again later."""
    for onboarding in plant.submitted.values():
        with suppress(httpx.TransportError):
            answer = plant.ask(
                "POST",
                f"/api/activations/{onboarding}",
                "users:activate",
                json={"channel": "email"},
            )
            assert answer.status_code in (202, 409), answer.text


def letters(plant: Plant) -> dict[str, list[str]]:
    """The passwords that each customer was sent, the oldest first."""
    with Bookkeeper(plant.settings) as keeper:
        owners = {mail.id: mail.subject for book in keeper.read() for mail in book.post.values()}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(plant.settings.data_dir.glob("mail/*-credentials-*.eml")):
        owner = owners[path.stem.split("-", 2)[2].partition(".")[0]]
        found[owner] += PASSWORD.findall(words(path))[:1]
    assert found.keys() == set(plant.submitted.values())
    return found


def words(path: Path) -> str:
    body = message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def opens(plant: Plant, onboarding: str, password: str) -> bool:
    body = {"login_name": standing(plant, onboarding)["login_name"], "password": password}
    return httpx.post(f"{plant.address}/api/login", json=body, timeout=30).status_code == 200
