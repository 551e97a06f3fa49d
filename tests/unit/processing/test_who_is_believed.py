"""With STRICT_PUBLISHERS: by which exchange and under whose name a message counts."""

import json
from dataclasses import replace
from typing import Any

import pytest

from infra.composition import build_service, publisher_rules
from shared.base.errors import Malformed
from shared.events.envelope import CONTENT_TYPE
from shared.host.settings import Settings
from shared.messaging.bus import EXCHANGE, Incoming
from shared.processing.decoding import Decoder

STRICT = Settings(broker_url="amqp://{service}:secret@127.0.0.1:1/")
TRUSTING = Settings()
SUBJECT = "3f2c8a10-6b1d-4e57-9a44-0c5d7e9b1a01"
WEBSITE, OTHER_WEBSITE = "stappenplan.website.0042", "stappenplan.website.0077"
KING = "stappenplan.king-billing"


def event(type: str, source: str, data: dict[str, Any], exchange: str | None) -> Incoming:
    document = {
        "specversion": "1.0",
        "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "source": source,
        "type": type,
        "subject": SUBJECT,
        "time": "2026-11-24T09:30:00Z",
        "data": data,
    }
    return Incoming(json.dumps(document).encode(), type, CONTENT_TYPE, exchange=exchange)


def signup(exchange: str | None, office: str = "0042") -> Incoming:
    data = {"office_code": office}
    return event("signup.submitted.v1", f"/website/{office}", data, exchange)


def registered(exchange: str | None) -> Incoming:
    return event("registration.declined.v1", "/services/registration", {"reason": "x"}, exchange)


RESULT = {
    "order_reference": "O-1",
    "end_to_end_id": "O-1-1",
    "attempt": 1,
    "amount_cents": 100,
    "currency": "EUR",
    "status": "succeeded",
    "occurred_at": "2026-11-24T09:30:00Z",
}


def reported(exchange: str | None) -> Incoming:
    return event("collection.result.v1", "/king-billing", RESULT, exchange)


def believes(service: str, incoming: Incoming, settings: Settings = STRICT) -> bool:
    decoder = Decoder(
        service, build_service(service, settings).subscriptions, publisher_rules(settings)
    )
    reason = ""
    try:
        decoder.decode(incoming)
    except Malformed as refusal:
        reason = str(refusal)
    assert not reason or "must come" in reason or "must be published by" in reason
    return not reason


@pytest.mark.parametrize("user", [None, "website-0042"])
def test_a_website_is_known_by_its_exchange_and_need_not_say_who_it_is(user: str | None) -> None:
    assert believes("signup", replace(signup(WEBSITE), user_id=user))


@pytest.mark.parametrize("user", ["website-0077", "king-billing", "billing", "admin", ""])
def test_a_user_that_is_set_must_agree_with_the_exchange(user: str) -> None:
    assert not believes("signup", replace(signup(WEBSITE), user_id=user))


@pytest.mark.parametrize("exchange", [EXCHANGE, OTHER_WEBSITE, KING, "", "amq.topic"])
@pytest.mark.parametrize("user", [None, "website-0042", "admin"])
def test_a_signup_by_another_exchange_is_nobodys(exchange: str, user: str | None) -> None:
    assert not believes("signup", replace(signup(exchange), user_id=user))


def test_the_office_of_the_signup_says_which_exchange_it_must_be() -> None:
    assert believes("signup", signup(OTHER_WEBSITE, office="0077"))
    assert not believes("signup", signup(OTHER_WEBSITE, office="0042"))


def test_king_is_known_by_its_exchange() -> None:
    assert believes("billing", reported(KING))
    assert not believes("billing", replace(reported(EXCHANGE), user_id="king-billing"))
    assert not believes("billing", reported(WEBSITE))
    assert not believes("billing", replace(reported(KING), user_id="website-0042"))


@pytest.mark.parametrize(
    ("exchange", "user", "believed"),
    [
        (EXCHANGE, "registration", True),
        (EXCHANGE, None, False),
        (EXCHANGE, "signup", False),
        (WEBSITE, "registration", False),
        (WEBSITE, None, False),
        ("", "registration", False),
    ],
)
def test_a_service_must_bear_its_user_on_the_exchange_that_services_share(
    exchange: str, user: str | None, believed: bool
) -> None:
    assert believes("activation", replace(registered(exchange), user_id=user)) is believed


def test_only_the_administrator_puts_something_straight_into_a_queue() -> None:
    # Given a message that came by no exchange, as a replay does,
    straight = replace(registered(""), routing_key="activation")
    # When anybody but the administrator has put it there, Then it is not believed;
    for user in (None, "registration", "website-0042"):
        assert not believes("activation", replace(straight, user_id=user))
    assert believes("activation", replace(straight, user_id="admin"))
    # nor is the administrator's word by an exchange under a queue's name.
    assert not believes("activation", replace(straight, user_id="admin", exchange=EXCHANGE))


@pytest.mark.parametrize("count", [None, 0, 1])
def test_nobody_says_that_a_message_has_died_before_it_came(count: int | None) -> None:
    # Given a website that writes into the broker's header what the broker would count on in,
    forged = {"queue": "signup", "reason": "rejected", "exchange": OTHER_WEBSITE, "count": count}
    # When it comes, Then it is refused before it can be dead-lettered as another's;
    message = replace(signup(WEBSITE), headers={"x-death": [forged]})
    assert not believes("signup", message)
    # where it died elsewhere, at its sender's say, is no matter of ours.
    elsewhere = {"x-death": [forged | {"queue": "outgoing"}]}
    assert believes("signup", replace(signup(WEBSITE), headers=elsewhere))


def test_what_an_earlier_version_kept_is_known_by_its_user() -> None:
    # Of it nobody knows the exchange, and its user had to be set.
    assert believes("signup", replace(signup(None), user_id="website-0042"))
    assert not believes("signup", replace(signup(None), user_id="website-0077"))
    assert not believes("signup", signup(None))


@pytest.mark.parametrize("exchange", [EXCHANGE, WEBSITE, OTHER_WEBSITE, None])
def test_where_nothing_is_strict_the_source_is_believed(exchange: str | None) -> None:
    assert believes("signup", signup(exchange), TRUSTING)
