"""People in front of pages, for tests that need no browser: they open pages and post forms."""

import re
from contextlib import closing
from datetime import UTC, datetime
from html import unescape
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

import httpx

from services.activation.staff.sessions import LONGEST, StaffSession, digest
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.web.pages import Site
from shared.web.passes import issue_pass


class Visitor:
    """Somebody with a browser who reads Dutch; follows where they are sent on to."""

    def __init__(self, settings: Settings, address: str) -> None:
        self.site = Site(settings.page_links())
        self.http = httpx.Client(base_url=address, timeout=30, follow_redirects=True)
        self.http.cookies.set(self.site.cookie("language"), "nl")

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.http.get(path, params=query or None)

    def post(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        """Post a form of ours, as the browser would that shows it."""
        data = {"form_key": str(uuid4()), **(fields or {}), **more}
        return self.http.post(path, data=data, headers={"Sec-Fetch-Site": "same-origin"})


def staff_visitor(
    settings: Settings,
    address: str,
    role: str = "king",
    office: str | None = None,
    name: str = "M. Voorbeeld",
) -> Visitor:
    """Somebody who is signed in, with a session of this very moment, and its pass."""
    visitor = Visitor(settings, address)
    for cookie, value in sign_in(settings, role, office, name).items():
        visitor.http.cookies.set(visitor.site.cookie(cookie), value)
    return visitor


def sign_in(
    settings: Settings,
    role: str,
    office: str | None,
    name: str = "M. Voorbeeld",
    at: datetime | None = None,
) -> dict[str, str]:
    """Begin a session for somebody; what their browser keeps of it, by the names of cookies.

    `at` is what the stage takes for now, where its clock is not the one on the wall.
    """
    now, secret = at or datetime.now(UTC), token_urlsafe(32)
    row = StaffSession(
        id=str(uuid4()),
        secret_hash=digest(secret),
        name=name,
        role=role,
        office=office,
        started_at=now,
        last_seen_at=now,
        ends_at=now + LONGEST,
    )
    staff = row.staff
    url = settings.database_url_of("activation")
    with closing(Database(url)) as database, database.begin() as session:
        session.add(row)
    signer = settings.page_links().signer
    return {"session": secret, "pass": issue_pass(signer, staff, now)}


def words_of(answer: httpx.Response) -> str:
    """What a person reads on a page: its text, without markup."""
    body = answer.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
