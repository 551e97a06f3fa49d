"""Activation's pages before a browser, by a clock that the test moves."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from starlette.responses import Response

from infra.run.site import build_site
from services.activation.staff import links
from services.activation.staff.sessions import StaffMember
from shared.host.runtime import Runtime
from shared.persistence.schema import upgrade
from shared.web.app import create_app
from shared.web.pages import AnyStaff, Site, pages_router
from tests.integration.activation.conftest import Practice
from tests.integration.activation.hashing import hashed_at_once
from tests.integration.pages.signin.provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider

OWN_FORM = {"Sec-Fetch-Site": "same-origin"}
ANNA = StaffMember("Anna van Voorbeeld", "activator", "0042")


class Browser:
    """A person's browser, which keeps cookies and follows nothing by itself."""

    def __init__(self, client: TestClient, site: Site) -> None:
        self.client, self.site = client, site

    def get(self, path: str, **headers: str) -> httpx.Response:
        answer: httpx.Response = self.client.get(path, headers=headers)
        return answer

    def post(self, path: str, **fields: Any) -> httpx.Response:
        data = {"form_key": str(uuid4()), **fields}
        answer: httpx.Response = self.client.post(path, data=data, headers=OWN_FORM)
        return answer

    def cookie(self, name: str) -> str | None:
        value: str | None = self.client.cookies.get(self.site.cookie(name))
        return value

    def keep(self, name: str, value: str) -> None:
        self.forget(name)
        host = urlsplit(self.site.links.base_url).hostname or ""
        self.client.cookies.set(self.site.cookie(name), value, domain=host, path="/")

    def forget(self, *names: str) -> None:
        for name in names:
            for cookie in list(self.client.cookies.jar):
                if cookie.name == self.site.cookie(name):
                    self.client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)

    def is_in(self) -> bool:
        """Whether a page of staff is shown, or its sign-in is asked for."""
        return self.get("/staff-alone").status_code == 200


class House:
    """One process of activation, with the browsers of those who come to it."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self.runtime: Runtime = practice.runtime
        self.site = build_site(self.runtime.settings, [self.runtime], practice.clock)
        pages = self.runtime.service.pages
        assert pages is not None
        self._app = create_app(
            [self.runtime.service.router(self.runtime), pages(self.runtime), _page_of_staff()],
            token_key=self.runtime.settings.signing_key(),
            site=self.site,
        )
        self._clients: list[TestClient] = []

    def browser(self) -> Browser:
        client = TestClient(self._app, base_url=self.site.links.base_url, follow_redirects=False)
        self._clients.append(client)
        client.__enter__()
        return Browser(client, self.site)

    def api(self) -> TestClient:
        """A program that calls the API, from the address that the browsers have too."""
        return self.browser().client

    def link(self, member: StaffMember = ANNA) -> str:
        """A link for somebody, as the command line prints it."""
        path, _ = links.make(self.site.links, member, self.practice.now)
        return path

    def sign_in(self, browser: Browser, member: StaffMember = ANNA) -> None:
        assert browser.post(self.link(member)).status_code == 303

    def pass_time(self, **parts: float) -> None:
        self.practice.now += timedelta(**parts)

    def acts(self) -> list[tuple[str, str, str | None]]:
        """What was done, by whom, for which office."""
        from sqlmodel import select

        from shared.processing.store.tables import Act

        with self.runtime.reading() as session:
            acts = sorted(session.exec(select(Act)), key=lambda act: act.at)
            return [(act.what, act.who, act.office) for act in acts]

    def close(self) -> None:
        for client in self._clients:
            client.__exit__(None, None, None)
        self.runtime.database.close()


def _page_of_staff() -> APIRouter:
    routes = pages_router()

    @routes.get("/staff-alone")
    def show(caller: AnyStaff) -> Response:
        return Response(caller.name)

    return routes


def words(answer: httpx.Response) -> str:
    """What a person reads of a page."""
    body = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", answer.text)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(autouse=True)
def quick_passwords() -> Iterator[None]:
    """What a hash costs is tried elsewhere."""
    with hashed_at_once():
        yield


def make_house(folder: Path, **settings: Any) -> House:
    """A house on a database of its own."""
    practice = Practice(f"sqlite:///{folder}/activation.db", folder, **settings)
    upgrade(practice.runtime.database, practice.runtime.service.migrations)
    return House(practice)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = make_house(tmp_path)
    yield house
    house.close()


@pytest.fixture
def browser(house: House) -> Browser:
    return house.browser()


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    provider = OpenIdProvider()
    yield provider
    provider.close()


@pytest.fixture
def joined(
    tmp_path: Path, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """A house whose staff sign in at the provider."""
    monkeypatch.setenv("STAPPENPLAN_OIDC_ISSUER", provider.issuer)
    monkeypatch.setenv("STAPPENPLAN_OIDC_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("STAPPENPLAN_OIDC_CLIENT_SECRET", CLIENT_SECRET)
    house = make_house(tmp_path)
    provider.clock = house.practice.clock
    yield house
    house.close()
