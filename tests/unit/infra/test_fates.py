"""Accounts with a fate: what KING's stand-in reports of each, and that no other has one."""

import json

import pytest
import schwifty

from infra.demo.demonstration import IBAN_OF_THE_SIGNED_FORM
from infra.demo.simulators import website
from infra.demo.simulators.fates import FATES, PAID, Fate, Report, by_account, fate_of
from shared.events import CollectionRequested
from shared.trade.iban import sepa_iban
from tests.contract.test_golden_events import GOLDEN


def request(iban: str, attempt: int = 1) -> CollectionRequested:
    document = json.loads((GOLDEN / "collection.requested.v1.json").read_bytes())
    data = document["data"] | {"attempt": attempt}
    data["mandate"] |= {"iban": iban}
    return CollectionRequested.model_validate(data)


def told(reports: tuple[Report, ...]) -> list[tuple[str, str | None]]:
    return [(report.status, report.reason_code) for report in reports]


@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.iban)
def test_every_account_is_valid_of_a_real_dutch_bank_and_told_in_both_languages(fate: Fate) -> None:
    # Given an account with a fate, When somebody fills it in,
    # Then the product takes it, a bank's name is known for it, and a page can say what it does.
    assert sepa_iban(fate.iban) == fate.iban
    assert schwifty.IBAN(fate.iban).country_code == "NL"
    assert schwifty.IBAN(fate.iban).bank_name
    assert fate.sentence("nl") != fate.sentence("en")


def test_each_account_has_one_fate() -> None:
    assert len({fate.iban for fate in FATES}) == len(FATES)


def test_an_account_may_be_written_as_people_write_it() -> None:
    assert fate_of("nl30 ingb 0002 0000 08") is FATES[0]


def test_funds_fail_twice_and_then_suffice() -> None:
    attempts = [by_account(request("NL30INGB0002000008", number)) for number in (1, 2, 3, 4)]
    failed = [("submitted", None), ("failed", "AM04")]
    assert [told(tuple(reports)) for reports in attempts] == [failed, failed, *[told(PAID)] * 2]


def test_a_refund_comes_some_time_after_the_success() -> None:
    *at_once, later = by_account(request("NL84RABO0014000008"))
    assert told(tuple(at_once)) == told(PAID)
    assert (later.status, later.reason_code) == ("refunded", "MD06")
    assert later.after


@pytest.mark.parametrize(
    ("iban", "reports"),
    [
        ("NL45ABNA0040000028", []),
        ("NL11TRIO0019000006", [("submitted", None), ("failed", "AC04")]),
        ("NL54KNAB0025000004", [("submitted", None), ("failed", "MD01")]),
        ("NL91ABNA0417164300", [("submitted", None), ("succeeded", None)]),
    ],
)
def test_silence_closed_accounts_and_unregistered_mandates_stay_so(
    iban: str, reports: list[tuple[str, str | None]]
) -> None:
    assert [told(tuple(by_account(request(iban, number)))) for number in (1, 2)] == [reports] * 2


def test_no_customer_of_the_demonstration_has_a_fate() -> None:
    # Given the customers who are made up, and those that ship as examples,
    payers = [document["data"]["payer"] for document in website.signups(3000, seed=16)]
    accounts = {payer.get("iban") for payer in payers} | {IBAN_OF_THE_SIGNED_FORM}
    # Then all of them pay: a demonstration ends with everybody logged in.
    assert [iban for iban in accounts if iban and fate_of(iban)] == []
