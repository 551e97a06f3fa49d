"""The guard against citizen numbers: however they are written, and nothing else."""

import pytest

from shared.trade.citizen_number import (
    holds_citizen_number,
    is_old_vat_number,
    names_citizen_number,
)
from shared.trade.contact import NotAnEmailAddress, email_address
from shared.trade.text import is_plain_code

GIVEN = [
    "BSN=111-22-2333",
    "sofinummer 111222333",
    "111222333 is mijn BSN",
    "b.s.n. 1112.22.333",
    "BSN111222333",
    "burgerservicenummer (9 cijfers): 111 222 333",
    "citizen service number 111222333",
    "mijn bsn: 11122 2333 2e verdieping",
    "bsn 04495445",
    "bsn 4495445",
    "111222333",
    "１１１２２２３３３",
    "\u0661\u0661\u0661\u0662\u0662\u0662\u0663\u0663\u0663",
    "111\u00a0222\u00a0333",
    "111\u202f222\u202f333",
    "111\u2011222\u2011333",
    "111\u00b7222\u00b7333",
    "111/222/333",
    "111,222,333",
    "1 1 1 2 2 2 3 3 3",
    "11\u200b1222333",
    "Jan 111222333 Jansen",
    "111222333 06 12345678",
    "111222333@voorbeeld.example",
    "btw-nummer 111222333",
    "mijn btw is NL004495445B01",
    "1112.22.333.B.01",
    "111. 222. 333",
    "1112--22--333",
    "1\ufe0f\u20e31\ufe0f\u20e31\ufe0f\u20e32\ufe0f\u20e32\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e33\ufe0f\u20e33",
    "nr111222333",
    "mijn nummer111222333",
]

HONEST = [
    "KvK 12345678",
    "bsn is niet nodig, KvK 12345672",
    "RSIN 111222333",
    "NL123456782B76",
    "NL812345672B01",
    "DE136695976",
    "BE0403019261",
    "NL91 ABNA 0417 1643 00",
    "BE68 5390 0754 7034",
    "rekening 123456782",
    "06 12345678",
    "0612345678",
    "020-1234567",
    "+31 20 123 4567",
    "tel. 111222333",
    "factuurnummer 123456782",
    "1234 AB",
    "10001-1234",
    "graag op 24-11-2026 9 uur",
    "1e Jan van der Heijdenstraat 12-14",
    "Bakkerij 24/7",
    "111222334",
    "tel. 111 - 222 - 333",
    "kamers 111, 222, 333",
    "X111222333",
    "020 - 123 45 67",
]


@pytest.mark.parametrize("written", GIVEN, ids=ascii)
def test_a_citizen_number_is_seen_however_it_is_written(written: str) -> None:
    assert holds_citizen_number(written)


@pytest.mark.parametrize("written", HONEST)
def test_another_number_is_not_taken_for_one(written: str) -> None:
    assert not holds_citizen_number(written)


@pytest.mark.parametrize("legal_form", ["bv", "vof", "other", None])
def test_a_number_that_is_no_legal_persons_is_seen_whatever_the_legal_form(
    legal_form: str | None,
) -> None:
    assert is_old_vat_number("NL111222333B01", legal_form)


@pytest.mark.parametrize(
    ("code", "named"), [("BSN 111222333", True), ("111222333", False), ("bsn", False)]
)
def test_a_code_may_look_like_one_but_not_be_called_one(code: str, named: bool) -> None:
    assert names_citizen_number(code) is named
    assert is_plain_code(code) is not named


def test_no_address_holds_one() -> None:
    with pytest.raises(NotAnEmailAddress):
        email_address("111222333@voorbeeld.example")


@pytest.mark.parametrize("legal_form", ["eenmanszaak", "other", None])
@pytest.mark.parametrize(
    "written",
    [
        "NL004495445B01",
        "nl 4495.445.b.01",
        "ＮＬ００４４９５４４５Ｂ０１",
        "NL\u00a00044\u202f95445\u2011B\u00b701",
        "4495445",
    ],
    ids=ascii,
)
def test_an_old_number_of_a_person_is_seen_whatever_the_legal_form(
    written: str, legal_form: str | None
) -> None:
    assert is_old_vat_number(written, legal_form)


@pytest.mark.parametrize(
    ("written", "legal_form"),
    [
        ("NL004495445B01", "bv"),
        ("NL004495445B01", "stichting"),
        ("NL812345672B01", None),
        ("NL812345672B01", "other"),
        ("NL123456782B76", "eenmanszaak"),
        ("NL000099998B57", None),
        ("BE0403019261", "other"),
    ],
)
def test_a_legal_persons_own_number_and_a_new_vat_id_are_honest(
    written: str, legal_form: str | None
) -> None:
    assert not is_old_vat_number(written, legal_form)
