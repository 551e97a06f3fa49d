"""What `/` shows to those who are not signed in, on the embedded default and elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse, Response

from infra.composition import publisher_rules
from services.activation.service import build
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.notifications.senders.protocol import Senders
from shared.persistence.schema import upgrade
from shared.processing.testing import RecordingBus
from shared.web.app import create_app
from shared.web.pages import Site
from tests.integration.activation.conftest import Post


def six_doors(_request: Request) -> Response:
    return PlainTextResponse("zes deuren")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    settings = Settings(data_dir=tmp_path)
    return Site(settings.page_links(), is_embedded=True, front_page=six_doors)


@pytest.fixture
def browser(site: Site, tmp_path: Path) -> Iterator[TestClient]:
    """Somebody in front of activation's pages, who is not signed in."""
    settings = Settings(database_url=f"sqlite:///{tmp_path}/a.db", data_dir=tmp_path)
    senders, rules = Senders(Post(), Post()), publisher_rules(settings)
    runtime = Runtime(build(settings), settings, RecordingBus(), senders, rules)
    upgrade(runtime.database, runtime.service.migrations)
    assert runtime.service.pages is not None
    key = settings.signing_key()
    app = create_app([runtime.service.pages(runtime)], token_key=key, site=site)
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        yield client
    runtime.database.close()


def test_who_is_not_signed_in_is_shown_the_front_page(browser: TestClient) -> None:
    assert browser.get("/").text == "zes deuren"


def test_elsewhere_they_are_sent_to_sign_in(browser: TestClient, site: Site) -> None:
    site.is_embedded = False
    assert browser.get("/").headers["location"] == "/staff/pass?next=%2F"


def test_whose_pass_has_ended_while_they_are_signed_in_has_it_renewed(
    browser: TestClient, site: Site
) -> None:
    # Given somebody with a session, whose pass of five minutes is over
    browser.cookies.set(site.cookie("session"), "whatever it holds")
    # When they come back to the list, Then they are taken to have it renewed, not to the doors.
    assert browser.get("/").headers["location"] == "/staff/pass?next=%2F"
