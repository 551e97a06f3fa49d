"""E-mail addresses and mobile numbers, in the one form that all services keep."""

import pytest

from shared.trade.contact import (
    NotAnEmailAddress,
    NotAPhoneNumber,
    NotMobile,
    OfAMachine,
    Unmailable,
    email_address,
    mobile_number,
)


@pytest.mark.parametrize(
    "written",
    [
        "06 12345678",
        "0031612345678",
        "+31 (6) 123 456 78",
        "06\u201112\u00a0345678",
        "０６１２３４５６７８",
        "\u202a+31 6 12345678\u202c",
    ],
    ids=ascii,
)
def test_a_mobile_number_is_kept_with_its_country_however_it_is_written(written: str) -> None:
    assert mobile_number(written) == "+31612345678"


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        ("zes", NotAPhoneNumber),
        ("12", NotAPhoneNumber),
        # An O for a nought would be dialled as a 6, and the password sent to somebody else.
        ("06 1234567O", NotAPhoneNumber),
        ("O612345678", NotAPhoneNumber),
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


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("info@straße-proef.example", "info@xn--strae-proef-y6a.example"),
        ("info@XN--STRAE-PROEF-Y6A.example", "info@xn--strae-proef-y6a.example"),
        ("info@cafe\u0301.example", "info@xn--caf-dma.example"),
        ("info@CAFÉ.example", "info@xn--caf-dma.example"),
        ("an\u200dna@korenaar.example", "anna@korenaar.example"),
    ],
    ids=ascii,
)
def test_a_domain_is_kept_and_mailed_in_the_form_of_the_dns(written: str, kept: str) -> None:
    assert email_address(written) == kept


@pytest.mark.parametrize("written", ["jürgen@korenaar.example", "安娜@korenaar.example"])
def test_an_address_that_few_servers_can_mail_is_refused(written: str) -> None:
    with pytest.raises(Unmailable, match="before the @"):
        email_address(written)


def test_an_address_whose_domain_grows_too_long_for_the_dns_is_refused() -> None:
    labels = ".".join("é" * 40 for _ in range(4))
    with pytest.raises(NotAnEmailAddress):
        email_address(f"info@{labels}.example")


@pytest.mark.parametrize(
    "written", ["info@", "info korenaar.example", "", "a\nb@x.example", f"{'a' * 65}@x.example"]
)
def test_what_cannot_be_an_address_is_refused(written: str) -> None:
    with pytest.raises(NotAnEmailAddress):
        email_address(written)


def test_what_is_refused_as_an_address_is_not_kept_in_memory() -> None:
    # Given that what was read as an address is known again,
    email_address.cache_clear()
    assert email_address("anna@bakkerij.example") == "anna@bakkerij.example"
    # When something else was written in its place, such as a citizen number,
    for _ in range(2):
        with pytest.raises(NotAnEmailAddress):
            email_address("111222333@bakkerij.example")
    # Then it is not among what is kept.
    assert email_address.cache_info().currsize == 1
