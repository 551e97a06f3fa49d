"""After a failed collection: who is told, and whether KING is asked once more."""

import pytest

from services.billing.models.reasons import WE_RETRY
from shared.events import (
    CollectionBooked,
    CollectionCancelled,
    CollectionRequested,
    CustomerReleased,
)
from shared.notifications.messages import Mail
from shared.processing.testing import Heard
from tests.unit.billing.builders import (
    FIRST,
    PRICE,
    placed,
    released,
    result,
    signature,
    signed,
)
from tests.unit.billing.harness import kinds


def test_lack_of_funds_is_tried_again_twice_each_with_its_own_prenotification() -> None:
    # Given a signed order whose payer has no money,
    billing = signed()
    # When each attempt fails,
    for attempt in (1, 2):
        said = billing.hear(result("failed", code="AM04", attempt=attempt))
        assert kinds(said) == ["collection_failed", "collection_failed_office"]
        # Then a week later KING is asked again, under a new end-to-end id,
        asked = billing.pass_days(7).one(CollectionRequested)
        assert asked.attempt == attempt + 1
        assert asked.end_to_end_id == f"{FIRST}-{attempt + 1}"
        assert (asked.collect_on - billing.now.date()).days == 14
    # but not after the third failure: then a person must talk to the payer.
    billing.hear(result("failed", code="AM04", attempt=3))
    assert billing.pass_days(90).all(CollectionRequested) == []


def test_a_second_attempt_that_succeeds_releases_the_customer() -> None:
    # Given an order of which the first attempt failed and the second was asked for,
    billing = signed()
    billing.hear(result("failed", code="AM04"))
    billing.pass_days(7)
    # When the second succeeds, then the customer is released.
    assert billing.hear(result("succeeded", attempt=2, minute=1)).all(CustomerReleased)


@pytest.mark.parametrize("code", ["AC01", "AC04", "MD01", "MS02", None, "XX99"])
def test_a_failure_that_time_does_not_heal_is_not_tried_again(code: str | None) -> None:
    # Given a signed order,
    billing = signed()
    # When the collection fails for a reason that asks for a person,
    said = billing.hear(result("failed", code=code))
    # Then payer and office are told, and the raw code is kept,
    assert kinds(said) == ["collection_failed", "collection_failed_office"]
    assert said.one(CollectionBooked).reason_code == code
    # and KING is not asked again.
    assert billing.pass_days(90).all(CollectionRequested) == []


@pytest.mark.parametrize("code", ["AG02", "FF01", "MD02", "MD07"])
def test_what_the_payer_cannot_help_is_told_to_the_office_alone(code: str) -> None:
    # Given a signed order, when the collection fails by our own fault or in a time of mourning,
    said = signed().hear(result("failed", code=code))
    # Then the payer is not bothered.
    assert kinds(said) == ["collection_failed_office"]


def test_a_second_try_is_off_when_the_money_came_meanwhile() -> None:
    # Given a failure that is worth a second try,
    billing = signed()
    billing.hear(result("failed", code="AM04"))
    # When the money comes by another way before the pause is over,
    billing.hear(result("succeeded", end_to_end_id="KING-77", minute=1))
    # Then KING is not asked again.
    assert billing.pass_days(60).all(CollectionRequested) == []


def test_a_second_try_is_off_when_king_tries_by_itself() -> None:
    # Given a failure that is worth a second try,
    billing = signed()
    billing.hear(result("failed", code="AM04"))
    # When KING reports a second attempt of its own before the pause is over,
    billing.hear(result("submitted", attempt=2, minute=1))
    # Then it is not asked for another.
    assert billing.pass_days(60).all(CollectionRequested) == []


def test_nothing_is_asked_while_king_tries_under_an_id_of_its_own() -> None:
    # Given a failure that is worth a second try,
    billing = signed()
    billing.hear(result("failed", code="AM04"))
    # When KING submits one more of its own, which is under way when the pause is over,
    billing.hear(result("submitted", end_to_end_id="KING-77", minute=1))
    # Then it is not asked for another beside it.
    assert billing.pass_days(60).all(CollectionRequested) == []


def test_an_open_attempt_is_called_off_when_another_brings_the_money() -> None:
    # Given a second attempt that KING was asked for,
    billing = signed()
    billing.hear(result("failed", code="AM04"))
    billing.pass_days(7)
    # When the first brings the money after all, as a person confirms,
    billing.hear(result("succeeded", minute=1))
    said = billing.decide("accept")
    # Then the customer is released, and KING is told not to make the second.
    assert said.all(CustomerReleased)
    cancelled = said.one(CollectionCancelled)
    assert (cancelled.end_to_end_id, cancelled.reason) == (f"{FIRST}-2", "collected")
    assert not billing.collection(f"{FIRST}-2").under_way


def test_an_attempt_that_king_submitted_meanwhile_is_called_off_as_well() -> None:
    # Given a second attempt that KING has submitted to the bank,
    billing = signed()
    billing.hear(result("failed", code="AM04"))
    billing.pass_days(7)
    billing.hear(result("submitted", attempt=2, minute=1))
    # When the first brings the money after all, then KING is told to stop the second if it can;
    billing.hear(result("succeeded", minute=2))
    said = billing.decide("accept")
    assert said.one(CollectionCancelled).end_to_end_id == f"{FIRST}-2"
    # whether it could is for KING to say.
    assert billing.collection(f"{FIRST}-2").status == "submitted"


def test_a_decision_that_counts_the_money_calls_the_others_off() -> None:
    # Given a second attempt that KING was asked for, and a wrong amount by the first,
    billing = signed()
    billing.hear(result("failed", code="AM04"))
    billing.pass_days(7)
    billing.hear(result("succeeded", cents=PRICE + 1, minute=1))
    # When a person accepts that amount, then KING is told not to make the second.
    said = billing.decide("accept")
    assert said.one(CollectionCancelled).end_to_end_id == f"{FIRST}-2"


def test_a_success_that_contradicts_a_failure_stops_the_next_try_until_a_person_decides() -> None:
    # Given a failure that is worth a second try, and a success that contradicts it,
    billing = signed()
    billing.hear(result("failed", code="AM04"))
    billing.hear(result("succeeded", minute=1))
    # When the pause is over, then KING is not asked to collect what may be there;
    assert billing.pass_days(7).all(CollectionRequested) == []
    # when a person says that it is not there, then it is asked a week later.
    billing.decide("dismiss")
    assert billing.pass_days(7).one(CollectionRequested).attempt == 2


def test_money_that_went_back_for_lack_of_funds_is_asked_for_again() -> None:
    # Given a released customer,
    billing = released()
    # When the bank takes the money back for lack of funds,
    said = billing.hear(result("returned", code="AM04", minute=1))
    assert promises(said)
    # Then KING is asked once more a week later, as the mail says.
    assert billing.pass_days(7).one(CollectionRequested).attempt == 2


def test_an_attempt_that_was_called_off_is_in_nobodys_way() -> None:
    # Given a second attempt that was called off, since the first had brought the money,
    billing = signed()
    billing.hear(result("failed", code="AM04"))
    billing.pass_days(7)
    billing.hear(result("succeeded", minute=1))
    billing.decide("accept")
    # When that money goes back,
    billing.hear(result("returned", code="AM04", minute=2))
    # Then KING is asked under an id that it has not heard.
    assert billing.pass_days(7).one(CollectionRequested).end_to_end_id == f"{FIRST}-3"


@pytest.mark.parametrize("code", ["AM04", "MS03"])
def test_another_attempt_is_promised_only_where_it_is_made(code: str) -> None:
    # Given a signed order whose payer has no money,
    billing = signed()
    for attempt in range(1, 5):
        # When an attempt fails,
        said = billing.hear(result("failed", code=code, attempt=attempt))
        # Then the mails promise another exactly when KING is asked again.
        asked = billing.pass_days(30).all(CollectionRequested)
        assert promises(said) == bool(asked)


def promises(said: Heard) -> bool:
    """Whether the mails of a failure say that it is tried again."""
    actions = {mail.params["action"] for mail in said.all(Mail)}
    return actions == {WE_RETRY[0]}


def test_an_end_to_end_id_that_king_used_by_itself_is_not_used_again() -> None:
    # Given that KING reports a failure under the second id, but counts it as its first attempt,
    billing = placed()
    billing.hear(result("failed", end_to_end_id=f"{FIRST}-2", attempt=1, code="AC01"))
    # When the confirmation comes back,
    asked = billing.ask(signature()).one(CollectionRequested)
    # Then KING is asked under an id that nobody used.
    assert asked.end_to_end_id == f"{FIRST}-3"


@pytest.mark.parametrize("status", ["failed", "returned", "refunded"])
def test_money_that_went_back_before_the_signature_is_collected_under_it(status: str) -> None:
    # Given a collection that KING made by itself, which came to nothing or went back,
    billing = placed()
    billing.hear(result(status, end_to_end_id="KING-7", code="MD01"))
    # When the payer's confirmation comes in, signed, Then KING is asked, as it is when the two
    # are heard the other way round.
    assert billing.ask(signature()).one(CollectionRequested).amount_cents == PRICE
