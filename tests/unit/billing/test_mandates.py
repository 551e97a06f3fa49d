"""Whose mandate an order falls under, its references, and when KING may collect."""

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.eu import at_02

from services.billing.models.mandate import Mandate, mandate_key
from services.billing.models.sepa_ids import end_to_end_id, mandate_reference
from shared.base.errors import Conflict
from shared.events.shapes import Payer
from shared.host.settings import Creditor
from shared.processing.testing import MONDAY
from shared.trade.calendar import is_banking_day
from shared.trade.pauses import first_collection_day

BANKS_ACCEPT = set(string.ascii_uppercase + string.digits + "-")


def test_an_office_has_one_mandate_for_all_that_it_pays() -> None:
    office = Payer(kind="office")
    assert mandate_key(office, "0042", "O-2026-000001") == mandate_key(office, "0042", "O-2026-2")
    assert mandate_key(office, "0042", "O-2026-1") != mandate_key(office, "0077", "O-2026-1")


@pytest.mark.parametrize("kind", ["customer", "other"])
def test_any_other_payer_signs_for_each_order(kind: str) -> None:
    payer = Payer.model_validate({"kind": kind})
    assert mandate_key(payer, "0042", "O-2026-1") != mandate_key(payer, "0042", "O-2026-2")


def test_references_are_what_every_bank_accepts() -> None:
    # Given the last order that a year can hold, and the last attempt that KING counts,
    order = "O-2026-999999"
    # Then mandate reference and end-to-end id fit a bank file.
    for reference in (mandate_reference(order), end_to_end_id(order, 1000)):
        assert len(reference) <= 35
        assert set(reference) <= BANKS_ACCEPT


def test_each_attempt_has_an_end_to_end_id_of_its_own() -> None:
    ids = {end_to_end_id(f"O-2026-{n:06d}", attempt) for n in range(20) for attempt in range(1, 20)}
    assert len(ids) == 20 * 19


def test_the_example_creditor_has_a_valid_identifier() -> None:
    assert at_02.is_valid(Creditor().identifier)


@pytest.mark.parametrize(
    ("requested", "days", "expected"),
    [
        (date(2026, 11, 23), 14, date(2026, 12, 7)),
        (date(2026, 11, 28), 14, date(2026, 12, 14)),
        (date(2026, 12, 11), 14, date(2026, 12, 28)),
        (date(2026, 3, 20), 14, date(2026, 4, 7)),
        (date(2026, 12, 31), 1, date(2027, 1, 4)),
    ],
    ids=["a weekday", "over a weekend", "over Christmas", "over Easter", "over New Year"],
)
def test_king_collects_on_the_first_banking_day_after_the_term(
    requested: date, days: int, expected: date
) -> None:
    assert first_collection_day(requested, days) == expected


@given(st.dates(date(2020, 1, 1), date(2090, 12, 31)), st.integers(1, 60))
def test_the_term_is_never_shortened_nor_stretched_beyond_a_long_weekend(
    requested: date, days: int
) -> None:
    waited = (first_collection_day(requested, days) - requested).days
    assert days <= waited <= days + 5
    assert is_banking_day(first_collection_day(requested, days))


def test_nothing_can_be_collected_under_a_mandate_that_is_not_signed() -> None:
    # Given a mandate with an account but no signature,
    mandate = Mandate(key="order/O-1", reference="M-1", scheme="CORE", iban="NL20INGB0001234567")
    # Then it gives KING nothing to collect with.
    assert not mandate.active_on(date(2026, 11, 23))
    with pytest.raises(Conflict):
        mandate.details("NL69ZZZ123456780000")


@pytest.mark.parametrize("scheme", ["CORE", "B2B"])
def test_a_mandate_tells_king_its_scheme(scheme: str) -> None:
    mandate = Mandate(key="order/O-1", reference="M-1", scheme=scheme)
    mandate.sign(date(2026, 11, 20), "NL20INGB0001234567", "Bakkerij Voorbeeld", MONDAY)
    assert mandate.details("NL69ZZZ123456780000").scheme == scheme
