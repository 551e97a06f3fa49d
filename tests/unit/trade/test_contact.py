"""E-mail addresses and mobile numbers, in the one form that all services keep."""

import pytest

from shared.trade.contact import (
    NotAnEmailAddress,
    NotAPhoneNumber,
    NotMobile,
    OfAMachine,
    email_address,
    mobile_number,
)


@pytest.mark.parametrize("written", ["06 12345678", "0031612345678", "+31 (6) 123 456 78"])
def test_a_mobile_number_is_kept_with_its_country_however_it_is_written(written: str) -> None:
    assert mobile_number(written) == "+31612345678"


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        ("zes", NotAPhoneNumber),
        ("12", NotAPhoneNumber),
        ("050 3123456", NotMobile),
        ("097012345678", OfAMachine),
    ],
)
def test_a_number_that_takes_no_texts_is_refused_by_its_kind(
    written: str, refusal: type[ValueError]
) -> None:
    with pytest.raises(ValueError, match="this is not a") as refused:
        mobile_number(written)
    assert type(refused.value) is refusal


def test_an_address_is_kept_as_its_owner_writes_it_with_its_domain_in_small_letters() -> None:
    assert email_address("Anna@Korenaar.EXAMPLE") == "Anna@korenaar.example"


@pytest.mark.parametrize("written", ["info@", "info korenaar.example", ""])
def test_what_cannot_be_an_address_is_refused(written: str) -> None:
    with pytest.raises(NotAnEmailAddress):
        email_address(written)
