"""AANMELDEN and INRICHTEN: the office's policy, its decision, the administration."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registration import charts
from services.registration.commands import (
    DeclineCustomer,
    MakeAdministration,
    PutBaseAdministration,
    RegisterCustomer,
)
from services.registration.handlers import SUBSCRIPTIONS
from services.registration.models import BaseAdministration, Chart, Registration, base_key
from shared.base.errors import Conflict, NotFound, Reject
from shared.events import (
    AdministrationCreated,
    AdministrationFailed,
    OnboardingWithdrawn,
    RegistrationCompleted,
    RegistrationDeclined,
    SignupAccepted,
)
from shared.events.event import Event
from shared.events.shapes import Office
from shared.processing import Command, Effect
from shared.processing.testing import Harness
from tests.unit.activation.world import OFFICE, flagged, signed_up

WITHDRAWN = OnboardingWithdrawn(reason="ziet ervan af", by="kantoor")
YES, NO = RegisterCustomer(by="anna"), DeclineCustomer(by="bram", reason="al klant")


class World(Harness):
    """Registration after these events; the base administration `standard` is for all offices."""

    def __init__(self, *heard: Event) -> None:
        accounts = charts.shipped_chart()
        chart = Chart(id=charts.chart_id(accounts), accounts=charts.as_rows(accounts))
        base = BaseAdministration(
            key=base_key("", "standard"), code="standard", name="Standaard", chart_id=chart.id
        )
        super().__init__(SUBSCRIPTIONS, rows=[base, chart])
        for event in heard:
            self.hear(event)

    @property
    def registration(self) -> Registration:
        """The only registration."""
        return self.row(Registration)


def kinds(effects: Sequence[Effect]) -> list[type]:
    return [type(effect) for effect in effects]


def of(**changes: object) -> Office:
    return OFFICE.model_copy(update=changes)


def test_a_signup_without_a_flag_is_registered_at_once() -> None:
    # Given an office that reviews only what is flagged, When a sign-up is accepted,
    world = World(signed_up())
    # Then the customer has a number, and their administration was copied with its chart.
    completed, created = world.said
    assert isinstance(completed, RegistrationCompleted)
    assert isinstance(created, AdministrationCreated)
    assert completed.customer_number == "K-100001"
    assert completed.customer == signed_up().customer
    assert (created.administration_number, created.copied_from) == ("A-100001", "standard")
    assert created.access_granted
    assert world.registration.chart_id == world.row(Chart).id


@pytest.mark.parametrize("event", [flagged(), signed_up(office=of(review="always"))])
def test_a_flag_or_a_strict_office_waits_for_review(event: SignupAccepted) -> None:
    # Given a sign-up that somebody must look at, When it is heard, Then nothing is registered
    world = World(event)
    assert world.said == []
    # until the office says yes.
    assert kinds(world.ask(YES)) == [RegistrationCompleted, AdministrationCreated]
    assert world.registration.decided_by == "anna"


def test_the_office_may_say_no() -> None:
    world = World(flagged())
    assert world.ask(NO) == [RegistrationDeclined(reason="al klant")]


@pytest.mark.parametrize("first", [YES, NO])
@pytest.mark.parametrize("second", [YES, NO])
def test_what_was_decided_is_not_decided_again(first: Command, second: Command) -> None:
    # Given a decision, When somebody decides once more,
    world = World(flagged())
    world.ask(first)
    with pytest.raises(Conflict) as refusal:
        world.ask(second)
    # Then they are told who was first.
    assert refusal.value.extra["decided_by"] == ("anna" if first is YES else "bram")


def test_an_unknown_customer_is_neither_registered_nor_declined() -> None:
    with pytest.raises(NotFound):
        World().ask(YES)


def test_a_missing_base_administration_blocks_until_another_is_chosen() -> None:
    # Given an office whose base administration does not exist,
    world = World(signed_up(office=of(base_administration="horeca")))
    # When the customer is registered, Then the failure is said with its reason;
    assert kinds(world.said) == [RegistrationCompleted, AdministrationFailed]
    assert "horeca" in str(world.said[1])
    # chosen anew, the administration is made.
    world.ask(MakeAdministration(base_administration="standard")).one(AdministrationCreated)
    assert world.registration.administration_error is None


@pytest.mark.parametrize("asked", [None, "standard"])
def test_asking_again_for_the_administration_that_is_there_changes_nothing(
    asked: str | None,
) -> None:
    # Given a customer with their administration, When it is asked for once more,
    world = World(signed_up())
    before = world.registration.model_dump()
    effects = world.ask(MakeAdministration(base_administration=asked))
    # Then nothing is said, and it is the same as before, its number too.
    assert effects == []
    assert world.registration.model_dump() == before


def test_without_a_base_the_one_that_was_chosen_before_stays() -> None:
    # Given a customer for whom another base was chosen than their office's own,
    world = World(signed_up(office=of(base_administration="horeca")))
    world.ask(MakeAdministration(base_administration="standard"))
    # When a copy is asked for without a base, Then there is one, and it stays.
    assert world.ask(MakeAdministration()) == []
    assert world.registration.copied_from == "standard"


def test_a_copy_that_failed_leaves_the_administration_as_it_was() -> None:
    # Given a customer with their administration, When a base is chosen that does not exist,
    world = World(signed_up())
    assert kinds(world.ask(MakeAdministration(base_administration="horeca"))) == [
        AdministrationFailed
    ]
    # Then they keep the one they have, beside the reason; asked for again, it is enough.
    assert world.registration.administration_number == "A-100001"
    assert "horeca" in str(world.registration.administration_error)
    assert world.ask(MakeAdministration(base_administration="standard")) == []
    assert world.registration.administration_error is None


def test_another_base_makes_another_administration() -> None:
    # Given a customer with their administration, and a base of their office,
    world = World(signed_up())
    account = charts.LedgerAccount(number="1000", name="Kas", rgs="BLimKas", kind="balance")
    world.ask(
        PutBaseAdministration(code="horeca", office_code="0042", name="Horeca", accounts=(account,))
    )
    # When that base is chosen, Then their administration is a copy of it, under a new number.
    created = world.ask(MakeAdministration(base_administration="horeca")).one(AdministrationCreated)
    assert (created.administration_number, created.copied_from) == ("A-100002", "horeca")


def test_the_offices_own_base_goes_before_the_shared_one() -> None:
    # Given an office with a base administration called like the shipped one,
    world = World()
    account = charts.LedgerAccount(number="1000", name="Kas", rgs="BLimKas", kind="balance")
    world.ask(
        PutBaseAdministration(
            code="standard", office_code="0042", name="Van ons", accounts=(account,)
        )
    )
    # When a client of that office is registered, Then its chart is the office's.
    world.hear(signed_up())
    assert world.registration.chart_id == charts.chart_id([account])


def test_a_changed_base_leaves_administrations_as_they_were_copied() -> None:
    world = World(signed_up())
    before = world.registration.chart_id
    account = charts.LedgerAccount(number="1000", name="Kas", rgs="BLimKas", kind="balance")
    world.ask(
        PutBaseAdministration(code="standard", office_code="", name="Nieuw", accounts=(account,))
    )
    assert world.registration.chart_id == before
    assert before in {chart.id for chart in world.rows(Chart)}


def test_an_administration_is_made_only_for_a_registered_customer() -> None:
    world = World(flagged())
    with pytest.raises(Conflict):
        world.ask(MakeAdministration())


def test_who_withdrew_before_the_signup_was_heard_is_not_registered() -> None:
    assert World(WITHDRAWN, signed_up()).said == []


def test_another_signup_under_the_same_id_is_refused() -> None:
    # Given a sign-up, When one of other contents comes under its id,
    world = World(signed_up())
    other = signed_up(customer=signed_up().customer.model_copy(update={"company": "Slagerij"}))
    with pytest.raises(Reject, match="other contents"):
        world.hear(other)
    # Then the healthy one is untouched, and heard again it changes nothing.
    assert world.registration.signup() == signed_up()
    assert world.hear(signed_up()) == []


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.permutations([signed_up(), signed_up(), WITHDRAWN, WITHDRAWN]))
def test_any_order_of_signup_and_withdrawal_ends_withdrawn(heard: list[Event]) -> None:
    # Given a sign-up and its withdrawal, When they are heard in any order, each twice,
    world = World(*heard)
    # Then the onboarding has stopped, and nobody was registered twice.
    assert world.registration.status == "withdrawn"
    assert kinds(world.said).count(RegistrationCompleted) <= 1


def test_the_shipped_chart_is_fit_for_use() -> None:
    # Given the chart that ships, Then numbers are unique, and it has both kinds of account.
    accounts = charts.shipped_chart()
    assert len({account.number for account in accounts}) == len(accounts) >= 40
    assert {account.kind for account in accounts} == {"balance", "result"}
    # RGS: B is the balance sheet, W the profit and loss account.
    assert all((account.rgs[0] == "B") == (account.kind == "balance") for account in accounts)
