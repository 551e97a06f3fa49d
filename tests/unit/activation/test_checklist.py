"""The checklist: where a customer stands, what blocks them, who must act."""

from datetime import timedelta

import pytest

from services.activation.commands import ActivateCustomer, ResendCredentials
from services.activation.models import Activation
from shared.base.errors import FieldError
from shared.events import (
    AdministrationFailed,
    CustomerReleaseWithdrawn,
    OnboardingWithdrawn,
    RegistrationDeclined,
    SignupRejected,
)
from shared.events.event import Event
from shared.events.shapes import Office
from shared.processing.testing import MONDAY
from tests.unit.activation.harness import (
    CONFIRMATION_SENT,
    OFFICE,
    ORDER,
    REGISTERED,
    SET_UP,
    SIGNED,
    WAY,
    ActivationHarness,
    booked,
    flagged,
    signed_up,
)

STRICT = OFFICE.model_copy(update={"review": "always"})
assert isinstance(STRICT, Office)
ERROR = FieldError(field="customer.kvk", code="kvk", message="Een KvK-nummer heeft 8 cijfers.")
TAKEN_BACK = CustomerReleaseWithdrawn(
    order_reference=ORDER, revision=3, reason_code="MD06", cause="terugbetaald"
)
SIGNED_ANEW = SIGNED.model_copy(update={"revision": 4})

SITUATIONS: dict[str, tuple[tuple[Event, ...], str, str, str, str]] = {
    # What was heard: the step that is due, its status, what blocks, who must act.
    "rejected": (
        (SignupRejected(office_code="0042", errors=(ERROR,)),),
        *("INSCHRIJVEN", "failed", "signup_rejected", "customer"),
    ),
    "signed up, nothing flagged": (
        (signed_up(),),
        *("AANMELDEN", "current", "registering", "nobody"),
    ),
    "likely a duplicate": ((flagged(),), "AANMELDEN", "current", "review", "office"),
    "an office that reviews all": (
        (signed_up(office=STRICT),),
        *("AANMELDEN", "current", "review", "office"),
    ),
    "declined": (
        (signed_up(), RegistrationDeclined(reason="al klant")),
        *("AANMELDEN", "failed", "declined", "nobody"),
    ),
    "no base administration": (
        (signed_up(), REGISTERED, AdministrationFailed(reason="bestaat niet")),
        *("INRICHTEN", "failed", "administration_failed", "office"),
    ),
    "confirmation on its way": (
        (signed_up(), REGISTERED, SET_UP),
        *("BEVESTIGEN", "current", "confirmation_on_its_way", "king"),
    ),
    "not signed yet": (
        (signed_up(), REGISTERED, SET_UP, CONFIRMATION_SENT),
        *("BEVESTIGEN", "current", "signature_missing", "payer"),
    ),
    "paid before signed": (
        (signed_up(), REGISTERED, SET_UP, CONFIRMATION_SENT, booked("succeeded")),
        *("BEVESTIGEN", "current", "signature_missing", "payer"),
    ),
    "signed": (WAY[:5], "VRIJGEVEN", "current", "collection_expected", "king"),
    "collection failed": (
        (*WAY[:5], booked("failed")),
        *("VRIJGEVEN", "failed", "collection_failed", "payer"),
    ),
    "wrong amount": (
        (*WAY[:5], booked("succeeded", held=True)),
        *("VRIJGEVEN", "failed", "collection_held", "king"),
    ),
    "second attempt under way": (
        (*WAY[:5], booked("failed"), booked("submitted", attempt=2)),
        *("VRIJGEVEN", "current", "collection_expected", "king"),
    ),
    "signed anew after a failure": (
        (*WAY[:5], booked("failed"), SIGNED_ANEW),
        *("VRIJGEVEN", "current", "collection_expected", "king"),
    ),
    "signed anew after money went back": (
        (*WAY, TAKEN_BACK, SIGNED_ANEW),
        *("VRIJGEVEN", "current", "collection_expected", "king"),
    ),
    "signed only after money went back": (
        (*WAY[:4], TAKEN_BACK.model_copy(update={"revision": 4}), SIGNED_ANEW),
        *("VRIJGEVEN", "current", "collection_expected", "king"),
    ),
    "money went back, and KING must decide": (
        (*WAY, TAKEN_BACK, booked("returned", held=True)),
        *("VRIJGEVEN", "failed", "collection_held", "king"),
    ),
    "released": (WAY, "ACTIVEREN", "current", "ready_to_activate", "office"),
    "release taken back": (
        (*WAY, TAKEN_BACK),
        *("VRIJGEVEN", "failed", "release_withdrawn", "payer"),
    ),
    "released before the administration is there": (
        tuple(event for event in WAY if event != SET_UP),
        *("INRICHTEN", "current", "administration_missing", "office"),
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_checklist_says_what_is_due_and_who_must_act(situation: str) -> None:
    heard, step, status, blocker, actor = SITUATIONS[situation]
    # Given what was heard so far, When the checklist is asked,
    service = ActivationHarness(*heard)
    where = service.checklist()
    # Then the step that is due comes first, with what blocks it and who can help.
    assert service.status(step) == status
    assert where.blockers[0].code == blocker
    assert where.next_actor == actor


def test_nobody_is_said_not_to_have_paid_when_another_attempt_brought_the_money() -> None:
    # Given money before the signature, and another attempt that failed,
    heard = (booked("succeeded"), booked("failed", attempt=2, revision=2))
    service = ActivationHarness(*WAY[:4], *heard)
    # Then nothing but the signature is waited for.
    assert service.blockers() == ["signature_missing"]
    assert service.status("VRIJGEVEN") == "waiting"


def test_a_released_customer_has_five_steps_behind_them() -> None:
    service = ActivationHarness(*WAY)
    assert [step.status for step in service.checklist().steps] == [
        *("done", "done", "done", "done", "done", "current", "waiting")
    ]


def test_every_done_step_says_when_and_by_whom() -> None:
    for step in ActivationHarness(*WAY).checklist().steps[:5]:
        assert step.at is not None
        assert step.at >= MONDAY
        assert step.by in ("customer", "office", "payer", "king")


def test_setting_up_and_signing_go_on_side_by_side() -> None:
    # Given a customer who signed before their administration was there,
    service = ActivationHarness(signed_up(), REGISTERED, CONFIRMATION_SENT, SIGNED)
    # When the checklist is asked, Then signing is done while setting up is due.
    assert (service.status("INRICHTEN"), service.status("BEVESTIGEN")) == ("current", "done")


@pytest.mark.parametrize("first", ["made", "failed"])
def test_a_copy_that_failed_blocks_only_while_there_is_no_administration(first: str) -> None:
    # Given an administration, and a later copy from a base that does not exist,
    failed, service = (
        AdministrationFailed(reason="bestaat niet"),
        ActivationHarness(*WAY[:2], *WAY[3:]),
    )
    events = [(SET_UP, MONDAY), (failed, MONDAY + timedelta(days=1))]
    # When they are heard in either order,
    for event, time in events if first == "made" else reversed(events):
        service.hear(event, time=time)
    # Then the customer has their administration, and can be activated.
    assert service.status("INRICHTEN") == "done"
    assert service.customer().ready
    assert service.blockers() == ["ready_to_activate"]


def test_a_withdrawn_customer_waits_for_nobody() -> None:
    # Given a customer on their way, When they withdraw,
    service = ActivationHarness(*WAY[:4], OnboardingWithdrawn(reason="ziet ervan af", by="kantoor"))
    # Then nothing is due any more, and the checklist says why.
    assert service.blockers() == ["withdrawn"]
    assert service.checklist().next_actor == "nobody"
    assert {step.status for step in service.checklist().steps} <= {"done", "waiting"}


def activated(*, hours: int = 0) -> ActivationHarness:
    """A customer whose credentials have left so many hours ago; they are good for 72."""
    service = ActivationHarness(*WAY)
    service.ask(ActivateCustomer(channel="email", by="/staff/anna"))
    service.send_credentials()
    service.now += timedelta(hours=hours)
    return service


def standing(service: ActivationHarness) -> tuple[str, str, list[str], str]:
    """ACTIVEREN, INLOGGEN, what blocks, who must act."""
    steps = service.status("ACTIVEREN"), service.status("INLOGGEN")
    return *steps, service.blockers(), service.checklist().next_actor


EXPIRED = ("failed", "waiting", ["credentials_expired"], "office")


def test_a_customer_with_a_good_one_time_password_is_to_log_in() -> None:
    in_time = ("done", "current", ["login_expected"], "customer")
    assert standing(activated()) == in_time
    assert standing(activated(hours=71)) == in_time


@pytest.mark.parametrize("hours", [72, 500])
def test_the_office_must_send_anew_what_has_expired(hours: int) -> None:
    # Given credentials that nobody used, When their time is over,
    service = activated(hours=hours)
    # Then the office must send them anew, and the customer waits for it;
    assert standing(service) == EXPIRED
    # once it did, they are to log in.
    service.ask(ResendCredentials(by="/staff/anna"))
    assert service.blockers() == ["sending"]
    service.send_credentials()
    assert service.blockers() == ["login_expected"]


def test_who_logged_in_and_chose_no_password_before_it_expired_needs_another() -> None:
    # Given a customer who logged in with the one-time password, When its time is over,
    service = activated()
    service.customer().record_login(service.now)
    assert standing(service) == ("done", "done", [], "nobody")
    service.now += timedelta(hours=72)
    # Then they have logged in, but cannot any more.
    assert standing(service) == ("failed", "done", ["credentials_expired"], "office")


def test_a_password_of_their_own_does_not_expire() -> None:
    # Given a customer with a password of their own, When time goes by,
    service = activated()
    service.customer().record_login(service.now)
    service.customer().choose("own")
    service.now += timedelta(days=400)
    # Then nothing is due.
    assert standing(service) == ("done", "done", [], "nobody")


def test_what_was_sent_anew_and_not_delivered_leaves_the_office_to_act() -> None:
    # Given a customer who logged in and was sent another password, When it comes back,
    service = activated()
    service.customer().record_login(service.now)
    service.customer().choose("own")
    service.ask(ResendCredentials(by="/staff/anna"))
    service.customer().equip("hash", service.now + timedelta(hours=72))
    service.customer().mark_undeliverable()
    # Then they have no password, which the office sees in both its lists.
    assert standing(service) == ("failed", "done", ["undeliverable"], "office")
    assert service.customer().ready


def test_credentials_of_who_is_suspended_are_not_sent_anew() -> None:
    # Given credentials that have expired, When the release was taken back as well,
    service = activated(hours=80)
    service.hear(TAKEN_BACK)
    # Then the money comes first.
    assert service.blockers() == ["release_withdrawn", "suspended"]


def test_a_customer_of_whom_nothing_is_known_yet_waits_for_their_signup() -> None:
    # Given that billing was heard before signup,
    service = ActivationHarness(SIGNED)
    # Then the first step is still due.
    assert service.status("INSCHRIJVEN") == "current"
    assert service.blockers()[0] == "signup_expected"
    assert isinstance(service.customer(), Activation)


def test_of_two_facts_about_one_order_the_higher_revision_holds_whenever_it_was_said() -> None:
    # Given a release that was said after its withdrawal, by a clock that runs behind,
    service = ActivationHarness(*WAY[:-1])
    late, early = MONDAY + timedelta(days=1), MONDAY + timedelta(hours=1)
    # When they are heard in either order, Then the withdrawal holds: it has the higher revision.
    service.hear(TAKEN_BACK, time=early)
    service.hear(WAY[-1], time=late)
    assert not service.customer().released
    assert not service.customer().ready
