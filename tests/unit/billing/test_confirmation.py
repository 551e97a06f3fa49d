"""The order/direct-debit confirmation: what stands on it, in both languages."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

from services.billing.confirmation.notices import scan_token
from tests.unit.billing.paper import (
    COMPANY,
    CONFIRMATION,
    KEY,
    ORDER,
    catalog_of,
    read,
    stands_on,
    text_of,
)


def test_the_mandate_shows_all_that_banks_ask_for() -> None:
    # Given a Core mandate, When the document is made, Then each required element is on it.
    for element in (
        "Doorlopende SEPA-machtiging",
        "KING Software B.V. (voorbeeld)",
        "Voorbeeldweg 1",
        "1234 AB Voorbeeldstad",
        "Nederland",
        "NL69ZZZ123456780000",
        "M-2026-000123",
        "NL91 ABNA 0417 1643 00",
        COMPANY,
        "Plaats",
        "Datum",
        "Handtekening",
        f"Order {ORDER} voor {COMPANY}, per jaar",
    ):
        assert stands_on(CONFIRMATION, element), element


def test_a_core_payer_reads_that_they_may_have_the_money_back_for_eight_weeks() -> None:
    assert stands_on(
        CONFIRMATION,
        "Door ondertekening van dit formulier geeft u toestemming aan (A) KING Software B.V. "
        "(voorbeeld) om doorlopende incasso-opdrachten te sturen naar uw bank om een bedrag van "
        "uw rekening af te schrijven en (B) aan uw bank om doorlopend een bedrag van uw rekening "
        "af te schrijven overeenkomstig de opdracht van KING Software B.V. (voorbeeld). Als u het "
        "niet eens bent met deze afschrijving kunt u deze laten terugboeken. Neem hiervoor binnen "
        "8 weken na afschrijving contact op met uw bank. Vraag uw bank naar de voorwaarden.",
    )


def test_a_business_payer_reads_that_they_may_not_and_that_their_bank_must_know() -> None:
    # Given a mandate between businesses, When the document is made,
    business = replace(CONFIRMATION, scheme="B2B")
    # Then it bears the other title, the other text, and one step more.
    for sentence in (
        "Doorlopende SEPA-machtiging bedrijven",
        "zakelijke doorlopende incasso-opdrachten",
        "Na afschrijving heeft u geen recht om het bedrag terug te laten boeken.",
        "Meld de machtiging aan bij uw bank",
    ):
        assert stands_on(business, sentence), sentence
        assert not stands_on(CONFIRMATION, sentence), sentence
    assert not stands_on(business, "8 weken")


def test_amounts_stand_in_the_payers_own_way_of_writing() -> None:
    # Given 348.00 with 36.00 and 72.00, and 21 % VAT, When they read Dutch, or English,
    dutch, english = text_of(CONFIRMATION), text_of(replace(CONFIRMATION, language="en"))
    # Then each line, the VAT and the total are as they would write them.
    for amount in ("348,00", "36,00", "72,00", "456,00", "95,76", "551,76"):
        assert f"€ {amount}" in dutch
        assert f"€{amount.replace(',', '.')}" in english
    assert "inbegrepen" in dutch
    assert "21%" in english


def test_an_english_payer_reads_english_throughout() -> None:
    english = replace(CONFIRMATION, language="en")
    assert stands_on(english, "SEPA Direct Debit Mandate")
    assert stands_on(english, "you authorise (A) KING Software B.V. (voorbeeld)")
    assert catalog_of(read(english))["/Lang"] == "en"
    assert not stands_on(english, "machtiging")


def test_without_an_iban_there_is_room_for_one() -> None:
    # Given a payer who gave no account, When they get their document,
    unknown = replace(CONFIRMATION, iban=None, account_holder=None)
    # Then it asks them to fill it in; who gave theirs is not asked.
    request = "Vul naam en IBAN van de rekening in"
    assert stands_on(unknown, request)
    assert not stands_on(CONFIRMATION, request)


def test_it_says_how_to_return_it_and_when_money_is_collected() -> None:
    assert stands_on(CONFIRMATION, "Antwoordnummer 1234, 1230 VB Voorbeeldstad")
    assert stands_on(CONFIRMATION, "fax haar naar +31 20 000 00 00")
    assert stands_on(CONFIRMATION, "niet eerder dan 8 december 2026")
    assert stands_on(CONFIRMATION, "de afgesproken termijn is 14 dagen")


def test_under_a_standing_mandate_nobody_is_asked_to_sign() -> None:
    # Given an office that signed its mandate in January, When it gets a client's document,
    covered = replace(CONFIRMATION, covered=date(2026, 1, 5))
    # Then it says so, and has neither consent nor signature.
    assert stands_on(covered, "ondertekend op 5 januari 2026. U hoeft niets te ondertekenen")
    for asked in ("Handtekening", "Door ondertekening", "Onderteken de machtiging"):
        assert not stands_on(covered, asked)


def test_the_scan_code_names_the_order_and_cannot_be_made_up() -> None:
    assert scan_token(ORDER, KEY).startswith(f"{ORDER}.")
    assert scan_token(ORDER, KEY) != scan_token(ORDER, "l" * 32)
    # It tells nobody who pays, or from which account.
    assert CONFIRMATION.iban is not None
    assert CONFIRMATION.iban not in scan_token(ORDER, KEY)


def test_every_word_is_there_in_both_languages() -> None:
    folder = Path(__file__).parents[3] / "services/billing/templates/confirmation"
    keys = [
        re.findall(r"^(\[?\w+)", (folder / f"{language}.toml").read_text(), re.MULTILINE)
        for language in ("nl", "en")
    ]
    assert keys[0] == keys[1]
