"""What people type is text, on every page and in every mail, whoever reads it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.pages.security.everything import Everything, PageOf
from tests.integration.pages.security.hostile import hostile_house
from tests.integration.pages.security.mails import read_mails
from tests.integration.pages.security.markup import HOSTILE, MARK, typed_markup


@pytest.fixture(scope="module")
def hostile(everything: Everything) -> Everything:
    return hostile_house(everything)


def test_what_people_type_is_text_on_every_page(hostile: Everything) -> None:
    # Given an office, staff, customers and payers who typed markup wherever they could,
    wrong, marked = set[str](), set[str]()
    for customer in (hostile.customer, *hostile.others):
        for page in hostile.pages("GET", customer=customer):
            is_about_one = "{" in page.path or customer == hostile.customer
            # When every page is opened by everybody, whole and in parts,
            for answer in _shown(hostile, page) if is_about_one else ():
                is_mail = page.path.endswith("/html")
                wrong |= {f"{page}: {one}" for one in typed_markup(answer.text, is_mail=is_mail)}
                if MARK in answer.text:
                    marked.add(page.path)
    # Then what they typed is there, and is nothing but text.
    assert sorted(wrong) == []
    assert marked >= {
        "/",
        "/onboardings/{onboarding_id}",
        "/onboardings/{onboarding_id}/activate",
        "/registrations",
        "/registrations/{onboarding_id}",
        "/registrations/{onboarding_id}/correct",
        "/registrations/{onboarding_id}/part",
        "/orders/{reference}/returned",
        "/status/{token}",
        "/sign/{token}",
        "/withdraw/{token}",
        "/signup/{code}",
        "/offices",
        "/mailbox",
    }


def _shown(hostile: Everything, page: PageOf) -> Iterator[httpx.Response]:
    """The page as everybody sees it who may, whole, and as the part that a script fetches."""
    for visitor in hostile.people:
        for headers in ({}, {"HX-Request": "true"}):
            answer = hostile.open(visitor, page, headers=headers)
            if "text/html" in answer.headers.get("content-type", ""):
                yield answer
            if not answer.is_success:
                break


def test_what_people_type_is_text_in_every_mail(hostile: Everything) -> None:
    read = read_mails(hostile.stage.settings.data_dir / "mail")
    assert [wrong for mail in read for wrong in mail.wrong] == []
    assert len([mail for mail in read if MARK in mail.html]) > 5


@pytest.mark.parametrize("typed", HOSTILE[:3])
def test_what_is_asked_for_is_not_repeated_as_markup(everything: Everything, typed: str) -> None:
    for page in everything.pages("GET"):
        for visitor in (everything.who_may(page),):
            names = ("q", "done", "next", "lang", "status", "step", "package.code", "since", "new")
            answer = everything.open(visitor, page, params=dict.fromkeys(names, typed))
            if "text/html" in answer.headers.get("content-type", ""):
                is_mail = page.path.endswith("/html")
                assert typed_markup(answer.text, is_mail=is_mail) == [], str(page)


@pytest.mark.parametrize(
    "changes",
    [
        {"sites": "https://a.example; script-src *"},
        {"sites": "https://a.example\thttps://b.example'"},
        {"sites": "javascript:alert(1)"},
        {"sites": "https://*"},
        {"color": "#0b5cad;}body{display:none"},
        {"color": "red"},
        {"code": "../0042"},
        {"code": "00\N{RIGHT-TO-LEFT OVERRIDE}24"},
        {"email": "a@b.example\r\nBcc: c@d.example"},
        {"phone": "<\x1b>"},
    ],
)
def test_an_office_brings_nothing_into_policies_styles_or_headers(
    everything: Everything, changes: dict[str, str]
) -> None:
    fields = {"code": "0101", "name": "Kantoor", "email": "a@b.example"} | changes
    before = everything.written()
    answer = everything.staff["king"].post("/offices", fields)
    assert answer.status_code == 422
    assert everything.written() == before
