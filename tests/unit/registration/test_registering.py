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
from shared.host.settings import Settings
from shared.notifications.messages import Mail
from shared.processing import Command, Effect
from shared.processing.testing import Harness
from shared.trade.catalogue import Catalogue
from tests.unit.activation.harness import OFFICE, flagged, signed_up

CATALOGUE = Catalogue.load(Settings().catalogue)
WITHDRAWN = OnboardingWithdrawn(reason="ziet ervan af", by="kantoor")
YES, NO = RegisterCustomer(by="anna"), DeclineCustomer(by="bram", reason="al klant")


class RegistrationHarness(Harness):
    """Registration after these events; the base administration `standard` is for all offices."""

    def __init__(self, *heard: Event) -> None:
        accounts = charts.shipped_chart()
        chart = Chart(id=charts.chart_id(accounts), accounts=charts.as_rows(accounts))
        base = BaseAdministration(
            key=base_key("", "standard"), code="standard", name="Standaard", chart_id=chart.id
        )
        super().__init__(SUBSCRIPTIONS, resources={Catalogue: CATALOGUE}, rows=[base, chart])
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
    service = RegistrationHarness(signed_up())
    # Then the customer has a number, and their administration was copied with its chart.
    completed, created = service.said
    assert isinstance(completed, RegistrationCompleted)
    assert isinstance(created, AdministrationCreated)
    assert completed.customer_number == "K-100001"
    assert completed.customer == signed_up().customer
    assert (created.administration_number, created.copied_from) == ("A-100001", "standard")
    assert created.access_granted
    assert service.registration.chart_id == service.row(Chart).id


@pytest.mark.parametrize("event", [flagged(), signed_up(office=of(review="always"))])
def test_a_flag_or_a_strict_office_waits_for_review(event: SignupAccepted) -> None:
    # Given a sign-up that somebody must look at, When it is heard, Then nothing is registered
    service = RegistrationHarness(event)
    assert service.said == []
    # until the office says yes.
    assert kinds(service.ask(YES)) == [RegistrationCompleted, AdministrationCreated]
    assert service.registration.decided_by == "anna"


def test_the_office_may_say_no() -> None:
    service = RegistrationHarness(flagged())
    assert service.ask(NO) == [RegistrationDeclined(reason="al klant")]


@pytest.mark.parametrize("first", [YES, NO])
@pytest.mark.parametrize("second", [YES, NO])
def test_what_was_decided_is_not_decided_again(first: Command, second: Command) -> None:
    # Given a decision, When somebody decides once more,
    service = RegistrationHarness(flagged())
    service.ask(first)
    with pytest.raises(Conflict) as refusal:
        service.ask(second)
    # Then they are told who was first, and what became of it.
    assert refusal.value.extra == {
        "decided_by": "anna" if first is YES else "bram",
        "state": "registered" if first is YES else "declined",
    }


def test_an_unknown_customer_is_neither_registered_nor_declined() -> None:
    with pytest.raises(NotFound):
        RegistrationHarness().ask(YES)


def test_a_missing_base_administration_blocks_until_another_is_chosen() -> None:
    # Given an office whose base administration does not exist,
    service = RegistrationHarness(signed_up(office=of(base_administration="horeca")))
    # When the customer is registered, Then the failure is said with its reason;
    assert kinds(service.said) == [RegistrationCompleted, AdministrationFailed]
    assert "horeca" in str(service.said[1])
    # chosen anew, the administration is made.
    service.ask(MakeAdministration(base_administration="standard")).one(AdministrationCreated)
    assert service.registration.administration_error is None


def test_the_office_is_told_which_base_is_missing_unless_it_asked_by_itself() -> None:
    # Given an office whose base administration does not exist, When a customer is registered,
    service = RegistrationHarness()
    (mail,) = service.hear(signed_up(office=of(base_administration="horeca"))).all(Mail)
    # Then it is told which one; who then chooses another that is missing sees that by themselves.
    assert (mail.kind, mail.to) == ("administration_failed", OFFICE.email)
    assert mail.params["base"] == "horeca"
    assert service.ask(MakeAdministration(base_administration="bakkerij")).all(Mail) == []


@pytest.mark.parametrize("asked", [None, "standard"])
def test_asking_again_for_the_administration_that_is_there_changes_nothing(
    asked: str | None,
) -> None:
    # Given a customer with their administration, When it is asked for once more,
    service = RegistrationHarness(signed_up())
    before = service.registration.model_dump()
    effects = service.ask(MakeAdministration(base_administration=asked))
    # Then nothing is said, and it is the same as before, its number too.
    assert effects == []
    assert service.registration.model_dump() == before


def test_without_a_base_the_one_that_was_chosen_before_stays() -> None:
    # Given a customer for whom another base was chosen than their office's own,
    service = RegistrationHarness(signed_up(office=of(base_administration="horeca")))
    service.ask(MakeAdministration(base_administration="standard"))
    # When a copy is asked for without a base, Then there is one, and it stays.
    assert service.ask(MakeAdministration()) == []
    assert service.registration.copied_from == "standard"


def test_a_copy_that_failed_leaves_the_administration_as_it_was() -> None:
    # Given a customer with their administration, When a base is chosen that does not exist,
    service = RegistrationHarness(signed_up())
    assert kinds(service.ask(MakeAdministration(base_administration="horeca"))) == [
        AdministrationFailed
    ]
    # Then they keep the one they have, beside the reason; asked for again, it is enough.
    assert service.registration.administration_number == "A-100001"
    assert "horeca" in str(service.registration.administration_error)
    assert service.ask(MakeAdministration(base_administration="standard")) == []
    assert service.registration.administration_error is None


def test_another_base_makes_another_administration() -> None:
    # Given a customer with their administration, and a base of their office,
    service = RegistrationHarness(signed_up())
    account = charts.LedgerAccount(number="1000", name="Kas", rgs="BLimKas", kind="balance")
    service.ask(
        PutBaseAdministration(code="horeca", office_code="0042", name="Horeca", accounts=(account,))
    )
    # When that base is chosen, Then their administration is a copy of it, under a new number.
    created = service.ask(MakeAdministration(base_administration="horeca")).one(
        AdministrationCreated
    )
    assert (created.administration_number, created.copied_from) == ("A-100002", "horeca")


def test_the_offices_own_base_goes_before_the_shared_one() -> None:
    # Given an office with a base administration called like the shipped one,
    service = RegistrationHarness()
    account = charts.LedgerAccount(number="1000", name="Kas", rgs="BLimKas", kind="balance")
    service.ask(
        PutBaseAdministration(
            code="standard", office_code="0042", name="Van ons", accounts=(account,)
        )
    )
    # When a client of that office is registered, Then its chart is the office's.
    service.hear(signed_up())
    assert service.registration.chart_id == charts.chart_id([account])


def test_a_changed_base_leaves_administrations_as_they_were_copied() -> None:
    service = RegistrationHarness(signed_up())
    before = service.registration.chart_id
    account = charts.LedgerAccount(number="1000", name="Kas", rgs="BLimKas", kind="balance")
    service.ask(
        PutBaseAdministration(code="standard", office_code="", name="Nieuw", accounts=(account,))
    )
    assert service.registration.chart_id == before
    assert before in {chart.id for chart in service.rows(Chart)}


def test_an_administration_is_made_only_for_a_registered_customer() -> None:
    service = RegistrationHarness(flagged())
    with pytest.raises(Conflict):
        service.ask(MakeAdministration())


def test_who_withdrew_before_the_signup_was_heard_is_not_registered() -> None:
    assert RegistrationHarness(WITHDRAWN, signed_up()).said == []


def test_another_signup_under_the_same_id_is_refused() -> None:
    # Given a sign-up, When one of other contents comes under its id,
    service = RegistrationHarness(signed_up())
    other = signed_up(customer=signed_up().customer.model_copy(update={"company": "Slagerij"}))
    with pytest.raises(Reject, match="other contents"):
        service.hear(other)
    # Then the healthy one is untouched, and heard again it changes nothing.
    assert service.registration.signup() == signed_up()
    assert service.hear(signed_up()) == []


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.permutations([signed_up(), signed_up(), WITHDRAWN, WITHDRAWN]))
def test_any_order_of_signup_and_withdrawal_ends_withdrawn(heard: list[Event]) -> None:
    # Given a sign-up and its withdrawal, When they are heard in any order, each twice,
    service = RegistrationHarness(*heard)
    # Then the onboarding has stopped, and nobody was registered twice.
    assert service.registration.status == "withdrawn"
    assert kinds(service.said).count(RegistrationCompleted) <= 1


def test_the_shipped_chart_is_fit_for_use() -> None:
    # Given the chart that ships, Then numbers are unique, and it has both kinds of account.
    accounts = charts.shipped_chart()
    assert len({account.number for account in accounts}) == len(accounts) >= 40
    assert {account.kind for account in accounts} == {"balance", "result"}
    # RGS: B is the balance sheet, W the profit and loss account.
    assert all((account.rgs[0] == "B") == (account.kind == "balance") for account in accounts)
