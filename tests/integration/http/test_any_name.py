"""Whatever a company is called, its order is found by that name and its lists go on after it."""

import json
from base64 import urlsafe_b64encode

import pytest

from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import is_problem
from tests.integration.http.test_finding_customers import found, next_page

LISTS = (
    "/api/orders",
    "/api/orders?q=bakkerij",
    "/api/collections",
    "/api/held-results",
    "/api/onboardings",
    "/api/onboardings?q=bakkerij",
    "/api/onboardings?q=O-2026-000001",
    "/api/activations",
    "/api/registrations",
    "/api/offices",
)


def order_for(api: Api, company: str) -> str:
    """The reference of the order of a company of this name; who pays has an ordinary one."""
    form = api.form()
    form["customer"] |= {"company": company}
    form["payer"] |= {"account_holder": "J. Voorbeeld"}
    return api.order_of(api.sign_up(**form))


def listed(api: Api, **params: str | int) -> list[str]:
    rows = api.ask("GET", "/api/orders", params={"limit": 500, **params}).json()
    return [row["order_reference"] for row in rows]


def tampered(*place: str) -> str:
    """A place of somebody's own invention, spelt as a list spells its own."""
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "company",
    ["👩‍🍳 Bakkers", "Bloemen 🩷", "🩷 Bloemen", "عربی\u200cزبان", "Bloemen \ue000", "😀" * 200],
    ids=lambda company: ascii(company[:12]),
)
def test_the_page_after_any_company_can_be_read(api: Api, company: str) -> None:
    # Given an order of a company with this name, and a page that ends with it,
    reference = order_for(api, company)
    orders = listed(api)
    place = orders.index(reference) + 1
    page = api.ask("GET", "/api/orders", params={"limit": place})
    # When the page after it is asked for, Then it goes on with whoever comes next.
    following = api.ask("GET", next_page(page))
    assert following.status_code == 200, following.text
    assert [row["order_reference"] for row in following.json()] == orders[place : 2 * place]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("place", [("nope", "a", "b"), ("payer", "a", "b"), ("", "a\0", "b")])
def test_a_place_that_no_list_has_given_is_refused(
    api: Api, path: str, place: tuple[str, ...]
) -> None:
    answer = api.ask("GET", path + ("&" if "?" in path else "?") + f"after={tampered(*place)}")
    assert is_problem(answer, 422, "after_unknown")


@pytest.mark.parametrize(
    "company",
    ["👩‍🍳 Koks", "🩷 Rozen", "عربی\u200cزبان دو", "Rozen \ue000", "Kaas ❤️ Wijn", "😁" * 190],
    ids=lambda company: ascii(company[:12]),
)
def test_an_order_is_found_by_its_own_company_name(api: Api, company: str) -> None:
    # Given an order of a company with this name, When the name is looked for, or its beginning,
    reference = order_for(api, company)
    # Then the order is found.
    for typed in (company, company.upper(), company[:-2], company[:1], f" \u200e{company}\n"):
        assert reference in listed(api, q=typed), ascii(typed)
    # And by another name it is not.
    assert reference not in listed(api, q=f"{company[:-1]}x")


def test_what_nobody_sees_in_a_pasted_name_does_not_matter(api: Api) -> None:
    # Given a customer
    form = api.form()
    form["customer"] |= {"company": "Warmoezerij Het Kruid"}
    onboarding_id = api.sign_up(**form)
    reference = api.order_of(onboarding_id)
    # When their name is pasted with what a text processor puts between its letters,
    pasted = "Warmoe\u00adzerij\u200b Het\u00a0Kruid\ufeff"
    # Then they are found, and so is their order.
    assert listed(api, q=pasted) == [reference]
    assert found(api, q=pasted) == [onboarding_id]
    assert found(api, q=f"{reference[:3]}\u200b{reference[3:]}") == [onboarding_id]
