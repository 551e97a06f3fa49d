"""A second sign-up of one company is recognised however it is written."""

import pytest

from tests.unit.signup.harness import SignupHarness, accepted, changed

FIRST = {
    "customer__kvk": None,
    "customer__company": "Café Straße",
    "customer__email": "a@café.example",
}


@pytest.mark.parametrize(
    "again",
    [
        {"customer__company": "Café\u00a0Straße"},
        {"customer__company": "Cafe\u0301 Straße"},
        {"customer__company": "Ca\u200dfé Straße"},
        {"customer__company": "CAFÉ STRASSE"},
        {"customer__company": "Ｃafé \u2003Straße"},
        {"customer__email": "A@CAFÉ.example"},
        {"customer__email": "a@xn--caf-dma.example"},
        {"customer__email": "a\u200d@cafe\u0301.example"},
    ],
    ids=ascii,
)
def test_a_company_is_known_again_however_it_is_written(again: dict[str, str]) -> None:
    # Given a company that is on its way, without a KvK number,
    service = SignupHarness()
    accepted(service.submit(changed(**FIRST)))
    # When it signs up again and writes its name or address in another way,
    warnings = accepted(service.submit(changed(**{**FIRST, **again}), "tweede")).warnings
    # Then the office is asked to look.
    assert "likely_duplicate" in {warning.code for warning in warnings}


@pytest.mark.parametrize(
    "written", ["0123 4567", "0123\u00a04567", "０１２３４５６７", "0123\u20114567"]
)
def test_a_kvk_number_is_known_again_however_it_is_written(written: str) -> None:
    service = SignupHarness()
    accepted(service.submit(changed()))
    again = changed(
        customer__kvk=written, customer__company="Ander", customer__email="b@ander.example"
    )
    warnings = accepted(service.submit(again, "tweede")).warnings
    assert "likely_duplicate" in {warning.code for warning in warnings}
