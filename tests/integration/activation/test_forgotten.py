"""A forgotten password: a fresh one goes to the known address, and a stranger gains nothing."""

import asyncio
from datetime import timedelta
from typing import cast

import httpx
import pytest
from structlog.testing import capture_logs

from services.activation.commands import AmendContact
from services.activation.login.api import login_routes
from services.activation.login.door import Door
from services.activation.login.forgotten import GOOD_FOR, forget_password
from services.activation.login.limits import Limit, Limits
from services.activation.models import FORGOTTEN_A_DAY
from shared.base.errors import InfrastructureDown, Unauthorized
from shared.events import CustomerReleaseWithdrawn
from shared.host.runtime import Runtime
from shared.processing.store import acts
from shared.processing.testing import onboarding
from shared.web.app import create_app
from tests.integration.activation.conftest import (
    ACTIVATE,
    ANNA,
    HOME,
    PASSWORD,
    RESEND,
    Practice,
)
from tests.unit.activation.harness import ORDER

KIND = "password_forgotten"
OWN = "vier paarden drinken thee"
TAKEN_BACK = CustomerReleaseWithdrawn(
    order_reference=ORDER, revision=3, reason_code="AM04", cause="teruggeboekt"
)


@pytest.fixture
def name(practice: Practice) -> str:
    """The login name of a customer who has chosen a password of their own."""
    practice.ask(ACTIVATE)
    name, one_time = practice.credentials()
    practice.log_in(name, one_time)
    practice.change_password(name, one_time, OWN)
    practice.deliver()
    return name


def forget(practice: Practice, name: str, address: str = HOME) -> list[str]:
    """Somebody says that a password is forgotten; which kinds of mail leave."""
    forget_password(practice.runtime, name, address, practice.limits)
    return practice.deliver()


def mailed_password(practice: Practice) -> str:
    (password,) = PASSWORD.findall(practice.post.sent[-1].text)
    return str(password)


def test_who_forgot_their_password_gets_in_by_mail_and_chooses_another(
    practice: Practice, name: str
) -> None:
    # Given a customer who forgot their password, When they say so,
    assert forget(practice, f" {name.upper()} ") == [KIND]
    # Then a fresh one goes to the address that is known, with which they choose another.
    assert practice.post.sent[-1].to == "klant@bakkerij.example"
    fresh = mailed_password(practice)
    assert practice.log_in(name, fresh).must_change_password
    practice.change_password(name, fresh, "zes ganzen lezen de krant")
    assert not practice.log_in(name, "zes ganzen lezen de krant").must_change_password
    for former in (fresh, OWN):
        with pytest.raises(Unauthorized):
            practice.log_in(name, former)


def test_a_stranger_who_says_so_takes_nothing_from_the_customer(
    practice: Practice, name: str
) -> None:
    forget(practice, name, "198.51.100.9")
    fresh = mailed_password(practice)
    # The customer's own stays good; and whoever knows it needs no other.
    assert not practice.log_in(name, OWN).must_change_password
    with pytest.raises(Unauthorized):
        practice.log_in(name, fresh)


def test_a_stranger_who_says_so_does_not_end_the_password_of_the_credentials(
    practice: Practice,
) -> None:
    # Given a customer who has not come in yet, and a stranger who knows the login name,
    practice.ask(ACTIVATE)
    name, one_time = practice.credentials()
    assert forget(practice, name, "198.51.100.9") == [KIND]
    fresh = mailed_password(practice)
    # (whose mail says so, and promises no more than that),
    words = " ".join(practice.post.sent[-1].text.split())
    assert "het wachtwoord dat u al had, blijft geldig" in words
    assert "vervangt eerdere" not in words
    # When the customer types what came with the credentials, Then it lets them in, as this would.
    assert practice.log_in(name, fresh).must_change_password
    assert practice.log_in(name, one_time).must_change_password
    # And once they have a password of their own, neither does any more.
    practice.change_password(name, one_time, OWN)
    for former in (fresh, one_time):
        with pytest.raises(Unauthorized):
            practice.log_in(name, former)


def test_the_password_of_the_credentials_outlives_one_that_was_asked_for(
    practice: Practice,
) -> None:
    practice.ask(ACTIVATE)
    name, one_time = practice.credentials()
    forget(practice, name, "198.51.100.9")
    practice.now += GOOD_FOR
    assert practice.log_in(name, one_time).must_change_password


def test_what_was_sent_to_a_former_address_lets_nobody_in(practice: Practice, name: str) -> None:
    # Given a customer with a password of their own, and a fresh one in a mailbox
    forget(practice, name)
    fresh = mailed_password(practice)
    # that turns out to be somebody else's by now, When their address is corrected,
    practice.ask(AmendContact(email="goed@bakkerij.example", by=ANNA))
    # Then what lies in that mailbox is void, and their own password is not.
    with pytest.raises(Unauthorized):
        practice.log_in(name, fresh)
    assert not practice.log_in(name, OWN).must_change_password


def test_a_fresh_password_is_good_for_a_day(practice: Practice, name: str) -> None:
    forget(practice, name)
    practice.now += GOOD_FOR
    with pytest.raises(Unauthorized):
        practice.log_in(name, mailed_password(practice))


def test_there_are_three_a_day(practice: Practice, name: str) -> None:
    # Given a customer for whom it was said as often as may be, When it is said again,
    for _ in range(FORGOTTEN_A_DAY):
        assert forget(practice, name) == [KIND]
    # Then nothing leaves, until a day is over.
    assert forget(practice, name) == []
    practice.now += timedelta(days=1)
    assert forget(practice, name) == [KIND]


def test_nothing_leaves_for_a_name_that_nobody_has_or_who_may_not_come_in(
    practice: Practice, name: str
) -> None:
    assert forget(practice, "niemand.hier") == []
    practice.hear(TAKEN_BACK)
    assert forget(practice, name) == ["access_suspended"]
    assert forget(practice, name) == []


def test_nothing_leaves_for_a_customer_whose_credentials_are_on_their_way(
    practice: Practice, name: str
) -> None:
    practice.ask(RESEND)
    assert forget(practice, name) == ["credentials"]


def test_nothing_goes_to_an_address_that_was_corrected_meanwhile(
    practice: Practice, name: str
) -> None:
    forget_password(practice.runtime, name, HOME, practice.limits)
    practice.ask(AmendContact(email="goed@bakkerij.example", by=ANNA))
    assert practice.deliver() == ["contact_changed", "contact_confirmed"]


def test_one_address_may_say_so_only_so_often(practice: Practice, name: str) -> None:
    practice.limits = Limits(forgotten=Limit(1))
    assert forget(practice, "niemand.hier") == []
    assert forget(practice, name) == []
    assert forget(practice, name, "198.51.100.9") == [KIND]


def test_a_flood_of_them_does_not_fill_the_log(practice: Practice) -> None:
    # Given an address from which it was said too often, When it goes on,
    practice.limits = Limits(forgotten=Limit(1))
    with capture_logs() as lines:
        for _ in range(50):
            forget_password(practice.runtime, "niemand.hier", HOME, practice.limits)
    # Then that is logged once a second.
    assert [line["event"] for line in lines].count("password_forgotten_too_often") == 1


def test_one_that_fails_is_logged_since_nobody_waits_for_it() -> None:
    # Given a database that is away,
    class Away:
        def reading(self) -> None:
            raise InfrastructureDown("the database is away")

        def resource(self, kind: type[Door]) -> Door:
            return kind()

    app = create_app([login_routes(cast(Runtime, Away()))], token_key="k" * 40)

    async def ask() -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answer = await client.post("/api/password/forgotten", json={"login_name": "iemand"})
        for _ in range(500):
            if lines:
                break
            await asyncio.sleep(0.01)
        return answer.status_code

    # When somebody forgot their password, Then they are told what all are told, and it is logged.
    with capture_logs() as lines:
        assert asyncio.run(ask()) == 202
    assert [line["event"] for line in lines] == ["password_forgotten_failed"]


def test_what_was_asked_for_is_on_record(practice: Practice, name: str) -> None:
    forget(practice, name)
    with practice.runtime.reading() as session:
        (act,) = [
            act
            for act in acts.about(session, onboarding("bakkerij"))
            if act.what == "activation.forget_password"
        ]
    assert (act.who, act.address) == (name, HOME)
