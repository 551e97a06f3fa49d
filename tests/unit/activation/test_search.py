"""By which texts a customer is found."""

import pytest

from services.activation.commands import ActivateCustomer, AmendContact
from services.activation.search import LONGEST_TERM, SearchTerm, fold, sought, spellings
from shared.base.errors import FieldError
from shared.events import SignupRejected
from tests.unit.activation.harness import CUSTOMER, WAY, ActivationHarness, registered, way_of


def terms(service: ActivationHarness) -> set[str]:
    """All texts by which somebody is found."""
    return {row.term for row in service.rows(SearchTerm) if row.term}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Bakkerij Crème  Brûlée", "bakkerij creme brulee"),
        ("Straße & Zoon", "strasse zoon"),
        ("K\u00f6nig", "konig"),
        ("Ko\u0308nig", "konig"),
        ("De\u00a0Korenaar\u200d B.V.", "de korenaar b.v."),
        ("1234 AB", "1234ab"),
        ("1234 ab 7", "1234ab 7"),
        ("Klant@Bakkerij.Example", "klant@bakkerij.example"),
        ("%_", "_"),
        ("\u202e", ""),
        ("x" * 500, "x" * 100),
    ],
)
def test_texts_are_compared_without_case_accents_and_signs(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("typed", "searched"),
    [
        ("Info@Bücher.example", "info@xn--bcher-kva.example"),
        ("info@BÜCHER.ex", "info@xn--bcher-kva.ex"),
        ("info@straße.example", "info@xn--strae-oqa.example"),
        # What is no address, or not yet one, is searched for like any other text.
        ("info@büch", "info@buch"),
        ("C@fé", "c@fe"),
        ("é@café.example", "e@xn--caf-dma.example"),
        ("a b@ü.c d", "a b@u.c d"),
        ("info@ü..x", "info@u..x"),
    ],
)
def test_an_address_is_searched_for_as_it_is_kept(typed: str, searched: str) -> None:
    assert sought(typed) == searched


@pytest.mark.parametrize(
    "company",
    ["1001 Nachten", "2000 Energie B.V.", "1984 en Later", "de 1001 nachten", "1234 AB 7", "2000"],
)
def test_each_beginning_of_a_name_with_a_number_finds_it(company: str) -> None:
    # Given a company whose name begins as a postcode could,
    service = ActivationHarness(*way_of(CUSTOMER.model_copy(update={"company": company})))
    kept = terms(service)
    # When somebody types it sign by sign, Then each beginning of it is one of something kept.
    begins = [company[: end + 1] for end in range(len(company))]
    assert [
        begin
        for begin in begins
        if not any(term.startswith(way) for term in kept for way in spellings(begin))
    ] == []


def test_a_customer_is_found_by_company_address_and_login_name() -> None:
    # Given a customer who was activated,
    customer = CUSTOMER.model_copy(update={"company": "Bakkerij de Korenaar B.V."})
    service = ActivationHarness(*way_of(customer))
    service.ask(ActivateCustomer(channel="email", by="anna"))
    # Then these begin what they are found by, and neither an article nor a legal form does.
    assert terms(service) == {
        "bakkerij de korenaar b.v.",
        "korenaar b.v.",
        "klant@bakkerij.example",
        "1234ab 1",
        "bakkerij.dekorenaar",
    }
    assert {row.office_code for row in service.rows(SearchTerm)} == {"0042"}


def test_no_text_is_longer_than_its_column_however_its_signs_are_taken_apart() -> None:
    # Given an address with signs each of which stands for many letters (U+FDFA: eighteen),
    address = CUSTOMER.address.model_copy(
        update={"country": "AE", "postcode": "\ufdfa" * 12, "number": "\ufdfa" * 20}
    )
    service = ActivationHarness(*way_of(CUSTOMER.model_copy(update={"address": address})))
    # Then what they are found by fits, or PostgreSQL would refuse the customer for it.
    assert max(map(len, terms(service))) == LONGEST_TERM


def test_nobody_is_found_by_what_they_had_before() -> None:
    # Given a customer, When the office corrects their name, and staff their address,
    service = ActivationHarness(*WAY[:1])
    service.hear(registered(customer=CUSTOMER.model_copy(update={"company": "Slagerij"})))
    service.ask(AmendContact(email="nieuw@slagerij.example", by="anna"))
    # Then they are found by those alone.
    assert terms(service) == {"slagerij", "nieuw@slagerij.example", "1234ab 1"}


def test_who_was_rejected_is_found_too() -> None:
    wrong = FieldError(field="customer.kvk", code="kvk_format", message="8 cijfers")
    service = ActivationHarness(
        SignupRejected(office_code="0042", company="Slagerij", errors=(wrong,))
    )
    assert terms(service) == {"slagerij"}
