"""Links that are opened by machines, for another purpose, changed, or for too long."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from shared.links import Purpose
from tests.integration.pages.security.everything import OWN_FORM, SIGNED_IN, Everything, PageOf
from tests.servers.premises import wait_until

OF_PEOPLE = (Purpose.STATUS, Purpose.WITHDRAW, Purpose.SIGN)
PURPOSES = (*OF_PEOPLE, Purpose.STAFF)
STREAMS = ("/changes", "/live")
"""How the addresses end of what is nothing without a body."""


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_opening_any_page_changes_nothing(everything: Everything, method: str) -> None:
    # Given all that stands in the databases, and every link that a mail may hold,
    before = everything.written(*SIGNED_IN)
    # When a scanner of mails, or anybody, opens each page that there is, in every role,
    failed = []
    for page in everything.pages("GET"):
        for visitor in everything.people if method == "GET" else (everything.somebody,):
            answer = everything.open(visitor, page, method)
            headless = method == "HEAD" and answer.status_code == 405
            if answer.status_code >= 500 or (headless and not page.path.endswith(STREAMS)):
                failed.append(f"{page}: {answer.status_code}")
    # Then none fails, and nothing was changed by it.
    assert failed == []
    assert everything.written(*SIGNED_IN) == before


def _with_token(everything: Everything) -> Iterator[PageOf]:
    for page in everything.pages("GET", "POST"):
        if "{token}" in page.path:
            yield page


def _asked(everything: Everything, page: PageOf, token: str) -> int:
    """What a page answers whose address has this token in the place of its own."""
    purpose = "status" if "/thanks/" in page.path else page.path.split("/")[1]
    own = _staff(everything) if purpose == "staff" else everything.token(Purpose(purpose))
    changed = PageOf(page.method, page.path, page.address.replace(own, token))
    assert token in changed.address
    form: dict[str, Any] = {"headers": OWN_FORM}
    if page.method == "POST":
        form["data"] = {"form_key": "0d2a2c7e-3f0a-4a51-9c35-0d0f35a9a002", "email": "x@y.example"}
    return everything.open(everything.somebody, changed, **form).status_code


def _staff(everything: Everything) -> str:
    return everything.token(Purpose.STAFF)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_link_opens_no_page_but_its_own(everything: Everything, purpose: Purpose) -> None:
    before, opened = everything.written(), []
    for page in _with_token(everything):
        is_its_own = page.path.startswith(f"/{purpose}/") or (
            purpose is Purpose.STATUS and "/thanks/" in page.path
        )
        if not is_its_own and _asked(everything, page, everything.token(purpose)) != 404:
            opened.append(str(page))
    assert opened == []
    assert everything.written() == before


def _changed(token: str) -> Iterator[str]:
    """The token with a slip in it, cut, prolonged, and with the parts of another."""
    body, _, mac = token.partition(".")
    yield f"{body[:-2]}{'AA' if body[-2:] != 'AA' else 'BB'}.{mac}"
    yield f"{body}.{mac[:-2]}{'AA' if mac[-2:] != 'AA' else 'BB'}"
    yield body
    yield f"{body}."
    yield f".{mac}"
    yield f"{body}.{mac}="
    yield f"{body}.{mac}.{mac}"
    yield f"{body}.{mac}%20"
    yield f"{token}A"
    yield "A" * 5_000


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_link_that_was_changed_is_none(everything: Everything, purpose: Purpose) -> None:
    before, own = everything.written(), everything.token(purpose)
    pages = [page for page in _with_token(everything) if page.path.startswith(f"/{purpose}/")]
    assert pages
    opened = [
        f"{page} {token[-20:]}"
        for page in pages
        for token in _changed(own)
        if _asked(everything, page, token) not in (404, 414)
    ]
    assert opened == []
    assert everything.written() == before


@pytest.mark.parametrize("purpose", OF_PEOPLE)
def test_a_link_that_is_too_old_does_nothing_but_offer_another(
    everything: Everything, purpose: Purpose
) -> None:
    # Given a link of more than 90 days ago,
    links = everything.somebody.site.links
    earlier = everything.issued_at - timedelta(days=91)
    token = links.path(purpose, everything.customer, earlier).rpartition("/")[2]
    before, opened = everything.written(), []
    # When everything is tried with it that there is, but for what sends a new one,
    for page in _with_token(everything):
        if not page.path.startswith(f"/{purpose}/") or page.path.endswith("/new-link"):
            continue
        status = _asked(everything, page, token)
        if status not in (404, 410) and not page.path.endswith(("/changes", "/live")):
            opened.append(f"{page}: {status}")
    # Then it opens nothing, and does nothing.
    assert opened == []
    assert everything.written() == before


@pytest.mark.parametrize("purpose", OF_PEOPLE)
def test_a_link_of_before_another_address_does_nothing(
    everything: Everything, purpose: Purpose
) -> None:
    # Given a customer whose address was corrected after a link had been sent,
    api = everything.api
    customer = api.sign_up("0042")
    api.order_of(customer)
    token = everything.token(purpose, customer)
    address = f"{purpose}@elders.example"
    path = f"/api/onboardings/{customer}/contact"
    assert api.ask("PATCH", path, json={"email": address}).status_code == 200

    def is_over() -> bool:
        page = everything.somebody.http.get(f"/{purpose}/{token}")
        return page.status_code == 410 and "@elders.example" in page.text

    # When it is opened, Then it offers another, to the new address, which it does not tell.
    wait_until(is_over, "the link is over", 20)
    page = everything.somebody.http.get(f"/{purpose}/{token}")
    assert f"{address[0]}***@elders.example" in page.text
    assert address not in page.text
    # Then nothing can be done with it.
    everything.prepare()
    before = everything.written()
    posts = [p for p in everything.pages("POST") if p.path.startswith(f"/{purpose}/{{token}}")]
    for post in posts:
        if not post.path.endswith("/new-link"):
            assert _asked(everything, post, token) in (404, 410)
    assert everything.written() == before
