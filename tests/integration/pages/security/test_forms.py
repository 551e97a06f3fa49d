"""Forms that are none of ours, or none at all: refused, calmly, and nothing is done."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.pages.security.everything import OWN_FORM, Everything, PageOf

ELSEWHERE: tuple[Mapping[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "same-origin, cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "{own}"},
    {"Origin": "https://elders.example"},
    {"Origin": "null"},
    {},
)
"""What a browser says that another site has sent; `{own}` is our own origin."""


def _elsewhere(everything: Everything) -> Iterator[dict[str, str]]:
    for headers in ELSEWHERE:
        own = everything.api.address
        yield {name: value.format(own=own) for name, value in headers.items()}


def test_no_form_is_taken_from_another_site(everything: Everything) -> None:
    # Given every form that there is, and people who are signed in,
    pages, before = everything.pages("POST"), everything.written()
    assert len(pages) > 25
    taken = []
    for page in pages:
        visitor = everything.who_may(page)
        for headers in _elsewhere(everything):
            # When another site has the browser send it of whoever may,
            data = {"form_key": str(uuid4()), "channel": "email", "reason": "x"}
            answer = everything.open(visitor, page, data=data, headers=headers)
            if answer.status_code != 403 or "another_site" not in answer.text:
                taken.append(f"{page} {headers}: {answer.status_code}")
    # Then it is refused, and nothing was done.
    assert taken == []
    assert everything.written() == before


def _multipart(*fields: tuple[bytes, bytes], charset: str = "", file: str = "") -> dict[str, Any]:
    """A form in parts, as no browser of ours writes it."""
    parts = [(b'name="' + name + b'"', value) for name, value in fields]
    if file:
        parts.append((f'name="file"; filename="{file}"'.encode(), b"<script>alert(1)</script>"))
    body = b"".join(
        b"--grens\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + value + b"\r\n"
        for head, value in parts
    )
    kind = "multipart/form-data; boundary=grens" + (f"; charset={charset}" if charset else "")
    return {"content": body + b"--grens--\r\n", "headers": OWN_FORM | {"Content-Type": kind}}


def _url_encoded(body: bytes) -> dict[str, Any]:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return {"content": body, "headers": OWN_FORM | kind}


KEY = (b"form_key", b"0d2a2c7e-3f0a-4a51-9c35-0d0f35a9a001")
NAMES = (
    b"login_name",
    b"password",
    b"customer.company",
    b"email",
    b"reason",
    b"document",
    b"signed_by",
    b"base_administration",
    b"next",
    b"code",
    b"id",
)
"""Fields that forms of ours have."""


def _all(value: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return (KEY, *((name, value) for name in NAMES))


MALFORMED: Mapping[str, dict[str, Any]] = {
    "nothing": _url_encoded(b""),
    "no key": _url_encoded(b"email=a"),
    "NUL in a part": _multipart(*_all(b"a\0b")),
    "halves of characters": _multipart(*_all(b"\\ud800"), charset="unicode_escape"),
    "a codec that fails": _multipart(*_all(b"_-_"), charset="punycode"),
    "a codec that is none": _multipart(*_all(b"a"), charset="undefined"),
    "another codec": _multipart(*_all(b"a"), charset="utf-16"),
    "bytes that are no text": _multipart(*_all(b"\xff\xfe\xed\xa0\x80")),
    "turned around": _multipart(*_all("\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe".encode())),
    "fields as objects": _multipart(KEY, *((name + b".x", b"a") for name in NAMES)),
    "a field within a text": _multipart(*_all(b"a"), *((name + b".x", b"a") for name in NAMES)),
    "a name without end": _multipart(KEY, (b"a." * 20_000 + b"a", b"a")),
    "deep names": _multipart(KEY, *((b"a." * 2_000 + b"%d" % n, b"a") for n in range(10))),
    "many fields": _url_encoded(b"&".join(b"f%d=1" % number for number in range(500))),
    "a long field": _multipart(*_all(b"a" * 60_000)),
    "too long a field": _multipart(*_all(b"a" * 70_000)),
    "a file where there is none": _multipart(KEY, file="x.html"),
    "a key that is none": _url_encoded(b"form_key=%3Cscript%3E&email=a"),
    "no parts": {
        "content": b"rubbish",
        "headers": OWN_FORM | {"Content-Type": "multipart/form-data; boundary=grens"},
    },
    "no boundary": {
        "content": b"rubbish",
        "headers": OWN_FORM | {"Content-Type": "multipart/form-data"},
    },
    "another kind": {
        "content": b'{"email": "a"}',
        "headers": OWN_FORM | {"Content-Type": "application/json"},
    },
}


@pytest.mark.parametrize("form", MALFORMED)
def test_what_is_no_form_of_ours_breaks_nothing(everything: Everything, form: str) -> None:
    # Given a form as no page of ours has it, When it is sent to each page that takes one,
    wrong = []
    for page in everything.pages("POST"):
        if page.path == "/staff/sign-out" or page.path.startswith("/demo/"):
            continue  # They take whatever has a key, and do what they are there for.
        answer = everything.open(everything.who_may(page), page, **MALFORMED[form])
        # Then it is told so on a page of ours, and it is never our fault.
        if not _is_calm(page, answer):
            wrong.append(f"{page}: {answer.status_code} {answer.text[:80]}")
    assert wrong == []


def _is_calm(page: PageOf, answer: httpx.Response) -> bool:
    is_page = answer.headers["content-type"].startswith("text/html") if answer.content else True
    is_of_us = "<script>alert" not in answer.text and (is_page or answer.status_code == 400)
    # What a log-in or upload is told when it comes too often is an answer of its own.
    return is_of_us and (answer.status_code < 500 or answer.status_code == 503)


def test_a_form_is_refused_in_the_order_of_who_may_and_only_then_of_what_it_says(
    everything: Everything,
) -> None:
    page = next(p for p in everything.pages("POST") if p.path == "/offices")
    empty = _url_encoded(b"")
    # Given a form that says nothing, Then it is first asked from where it comes,
    from_elsewhere = {**empty, "headers": {"Sec-Fetch-Site": "cross-site"}}
    assert everything.open(everything.somebody, page, **from_elsewhere).status_code == 403
    # Then who sends it, whether they may, and only then what it says.
    first = everything.open(everything.somebody, page, **empty)
    assert 'action="/staff/pass' in first.text
    assert everything.open(everything.staff["activator"], page, **empty).status_code == 403
    assert everything.open(everything.staff["king"], page, **empty).status_code == 400


@pytest.mark.parametrize(
    "host",
    [
        "[",
        "[::1",
        "elders.example",
        "",
        "127.0.0.1@elders.example",
        "elders.example@127.0.0.1",
        "127.0.0.1:99999",
        "localhost:x",
    ],
)
def test_a_page_is_shown_under_our_own_name_alone(everything: Everything, host: str) -> None:
    answer = everything.somebody.http.get("/login", headers={"Host": host})
    assert answer.status_code == 421
