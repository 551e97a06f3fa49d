"""A link lets in whoever holds it: for one page, about one customer, until its time is over."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.links import Expired, Invalid, PageLinks, Purpose

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
KEY, OTHER_KEY = "k" * 40, "o" * 40
ONBOARDING = "3f0f9f6e-8f0f-4b53-9d6c-2e8a2f4c9b11"


def links(*keys: str) -> PageLinks:
    return PageLinks("https://stappenplan.example", keys or (KEY,))


def token_of(address: str) -> str:
    return address.rpartition("/")[2]


def test_a_link_leads_to_its_page_and_says_whose_it_is() -> None:
    # When a mail brings a customer the link to their page
    address = links().to(Purpose.STATUS, ONBOARDING, NOW)
    # Then that page can read whose it is, whichever process made it.
    assert address.startswith("https://stappenplan.example/status/")
    signed = links().read(Purpose.STATUS, token_of(address), NOW + timedelta(days=89))
    assert signed.claims == {"sub": ONBOARDING}
    assert signed.issued_at == NOW


def test_an_expired_link_says_so_and_still_says_whose_it_was() -> None:
    token = token_of(links().to(Purpose.SIGN, ONBOARDING, NOW))
    with pytest.raises(Expired) as expired:
        links().read(Purpose.SIGN, token, NOW + timedelta(days=90))
    assert expired.value.signed.claims["sub"] == ONBOARDING


def test_a_link_to_one_page_opens_no_other() -> None:
    token = token_of(links().to(Purpose.STATUS, ONBOARDING, NOW))
    with pytest.raises(Invalid):
        links().read(Purpose.SIGN, token, NOW)


def test_a_link_outlives_a_new_key_as_long_as_the_old_one_verifies() -> None:
    token = token_of(links(OTHER_KEY).to(Purpose.STATUS, ONBOARDING, NOW))
    assert links(KEY, OTHER_KEY).read(Purpose.STATUS, token, NOW)
    with pytest.raises(Invalid):
        links(KEY).read(Purpose.STATUS, token, NOW)


@pytest.mark.parametrize("position", range(0, 120, 7))
def test_a_link_with_another_character_in_it_is_none(position: int) -> None:
    token = token_of(links().to(Purpose.STATUS, ONBOARDING, NOW))
    position %= len(token)
    other = "A" if token[position] != "A" else "B"
    with pytest.raises(Invalid):
        links().read(Purpose.STATUS, token[:position] + other + token[position + 1 :], NOW)


@pytest.mark.parametrize("text", ["", ".", "a.b", "é.é", "x" * 5000, "a" * 40 + ".", "%%%.%%%"])
def test_what_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        links().read(Purpose.STATUS, text, NOW)


def test_a_second_spelling_of_a_link_is_none() -> None:
    # Given that base64 leaves bits of its last character unused
    token = token_of(links().to(Purpose.STAFF, ONBOARDING, NOW))
    spellings = {token + "=", token.replace(".", "=."), token + "\n", token[:-1] + token[-1]}
    for spelling in spellings - {token}:
        with pytest.raises(Invalid):
            links().read(Purpose.STAFF, spelling, NOW)
