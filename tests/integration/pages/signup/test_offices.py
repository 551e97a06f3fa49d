"""KING's back office keeps the offices."""

import pytest

from tests.integration.pages.signup.conftest import Staffing, field_value, filled_in
from tests.visitors import Visitor, words_of

NEW = {
    "code": "0101",
    "name": "Kantoor De Molen",
    "email": "kantoor@molen.example",
    "language": "nl",
    "review": "flagged",
    "pays_for_customers": "no",
    "base_administration": "standard",
}


def test_king_adds_an_office_and_a_customer_signs_up_with_it(
    staff: Staffing, customer: Visitor
) -> None:
    # Given KING's back office at the form for a new office
    king = staff()
    assert "Kantoor toevoegen" in words_of(king.get("/offices", new="yes"))
    # When it is sent
    page = king.post("/offices", NEW)
    # Then the office is there, with what its webmaster needs,
    assert "Het kantoor is toegevoegd" in words_of(page)
    assert "/try/0101" in page.text
    assert "Kantoor De Molen" in words_of(king.get("/offices"))
    # and its form is open.
    check = customer.post("/signup/0101", filled_in("Molenwinkel"))
    assert "Kantoor De Molen krijgt uw inschrijving" in words_of(check)


def test_an_office_is_changed_and_the_change_has_a_name(staff: Staffing) -> None:
    king = staff()
    king.post("/offices", NEW, code="0102")
    sites = "https://www.molen.example\nhttps://Molen.example/"
    page = king.post("/offices/0102", NEW, phone="+31 20 555 01 02", sites=sites, color="#aa3300")
    shown = words_of(page)
    assert "Uw wijzigingen" not in shown
    assert "De wijzigingen zijn opgeslagen" in shown
    assert field_value(page, "phone") == "+31 20 555 01 02"
    assert "https://molen.example" in page.text
    assert "M. Voorbeeld" in shown


def test_what_is_wrong_is_told_in_words_and_the_rest_is_kept(staff: Staffing) -> None:
    king = staff()
    wrong = NEW | {"code": "01/03", "email": "molen", "color": "groen", "sites": "www.molen.nl"}
    page = king.post("/offices", wrong, name="")
    assert page.status_code == 422
    for words in (
        "zonder schuine streep",
        "E-mailadres klopt niet",
        "Een kleur wordt geschreven als",
        "zonder pad",
        "Naam: Vul dit veld in",
    ):
        assert words.lower() in words_of(page).lower()
    assert field_value(page, "color") == "groen"


def test_a_code_that_is_taken_changes_nobodys_office(staff: Staffing) -> None:
    king = staff()
    page = king.post("/offices", NEW, code="0077", name="Kaper")
    assert page.status_code == 422
    assert "Er is al een kantoor met deze code" in words_of(page)
    assert "Kaper" not in words_of(king.get("/offices"))


@pytest.mark.parametrize(
    ("role", "office"), [("office", "0042"), ("activator", "0042"), ("operator", None)]
)
def test_offices_are_kings_alone(staff: Staffing, role: str, office: str | None) -> None:
    other = staff(role, office)
    assert other.get("/offices").status_code == 403
    assert other.get("/offices/0042").status_code == 403
    assert other.post("/offices", NEW, code="0199").status_code == 403
    assert other.post("/offices/0042", NEW).status_code == 403


def test_an_office_that_is_not_there_is_told_so(staff: Staffing) -> None:
    assert staff().get("/offices/9999").status_code == 404
