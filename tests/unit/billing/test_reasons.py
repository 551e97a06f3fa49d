"""Why a collection failed: each code's cause, and what is done about it."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.models.reasons import REASONS, known_code, reason_for

CAUSES = {
    "AC01": "account_invalid",
    "AC04": "account_closed",
    "AC06": "account_blocked",
    "AC13": "wrong_account_type",
    "AG01": "account_not_allowed",
    "AG02": "creditor_error",
    "BE05": "creditor_error",
    "FF01": "creditor_error",
    "RC01": "creditor_error",
    "AM04": "insufficient_funds",
    "AM05": "duplicate",
    "MD01": "no_mandate",
    "MD02": "mandate_data",
    "MD06": "disputed_authorised",
    "MD07": "deceased",
    "MS02": "refused",
    "MS03": "unspecified_bank",
    "SL01": "bank_filter",
    "RR01": "bank_regulatory",
    "RR02": "bank_regulatory",
    "RR03": "bank_regulatory",
    "RR04": "bank_regulatory",
    "CNOR": "technical",
    "DNOR": "technical",
    "TM01": "technical",
}


@pytest.mark.parametrize(("code", "cause"), CAUSES.items())
def test_each_code_of_the_banks_has_its_cause(code: str, cause: str) -> None:
    assert reason_for(code).cause == cause
    assert reason_for(code.lower()).cause == cause


@pytest.mark.parametrize("written", ["AM04 ", " am04", "Am 04", "\u00a0AM04\u2003"])
def test_a_code_is_read_without_blanks_and_in_any_case(written: str) -> None:
    assert (known_code(written), reason_for(written).cause) == ("AM04", "insufficient_funds")


@pytest.mark.parametrize("written", [None, "", "  ", "\u00a0"])
def test_blanks_alone_are_no_code(written: str | None) -> None:
    assert known_code(written) is None


def test_what_ends_a_mandate_stands_in_the_table() -> None:
    final = {reason.code for reason in REASONS.values() if reason.ends_mandate}
    assert final == {"AC01", "AC04", "AC06", "AC13", "AG01", "MD01", "MD02", "MD07", "MS02"}
    assert [r.code for r in REASONS.values() if r.stops_everything] == ["MD07"]


def test_only_what_time_may_heal_is_tried_again() -> None:
    retried = {
        reason.code: (reason.retry_after_days, reason.max_retries)
        for reason in REASONS.values()
        if reason.retry_after_days is not None or reason.max_retries
    }
    assert retried == {"AM04": (7, 2), "MS03": (7, 1)}


def test_the_payer_is_not_bothered_with_what_is_ours_to_repair() -> None:
    silent = {reason.code for reason in REASONS.values() if not reason.payer_is_told}
    ours = {"AG02", "BE05", "FF01", "RC01", "AM05", "MD02"}
    banks = {"RR01", "RR02", "RR03", "RR04", "CNOR", "DNOR", "TM01"}
    assert silent == ours | banks | {"MD07"}


def test_every_reason_speaks_dutch_and_english() -> None:
    for reason in REASONS.values():
        for words in (reason.meaning, partial(reason.action, again=False)):
            assert words("nl")
            assert words("en")
            assert words("nl") != words("en")


@given(st.text(max_size=35))
def test_a_code_that_nobody_knows_is_kept_as_it_is(code: str) -> None:
    # Given any text at all for a code,
    reason = reason_for(code)
    # Then it is known, or else kept raw and left to a person, without another attempt.
    if code.upper() not in REASONS:
        assert (reason.code, reason.cause) == (code, "unknown")
        assert reason.retry_after_days is None
