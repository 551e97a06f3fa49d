"""Scopes: each service says which its routes ask for; together they are what a token may allow."""

import dataclasses
import re
from pathlib import Path

import pytest

from infra import composition
from infra.composition import OPERATION_SCOPES, build_services, scopes
from infra.operations.dead_letters.routes import SCOPE
from shared.host.service import Service
from shared.host.settings import Settings
from shared.web.auth import issue_token

ROOT = Path(__file__).parents[3]
ASKED = re.compile(r'caller_with\("([^"]+)"\)')
KEY = "k" * 32


def asked_in(folder: Path) -> set[str]:
    """The scopes that the routes in this folder ask for."""
    return {scope for path in folder.rglob("*.py") for scope in ASKED.findall(path.read_text())}


@pytest.mark.parametrize("service", build_services(Settings()), ids=lambda service: service.name)
def test_a_service_names_just_the_scopes_that_its_routes_ask_for(service: Service) -> None:
    assert service.scopes.keys() == asked_in(service.folder)


def test_those_who_run_the_product_have_the_scopes_of_its_own_routes() -> None:
    assert asked_in(ROOT / "infra") | {SCOPE} == OPERATION_SCOPES.keys()
    assert asked_in(ROOT / "shared") == set()


def test_a_scope_is_one_services_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given two services that name the same scope,
    first, second, *_ = build_services(Settings())
    rival = dataclasses.replace(second, scopes=dict(first.scopes))
    monkeypatch.setattr(composition, "build_services", lambda _settings: [first, rival])
    # When they are put together, Then that is refused.
    with pytest.raises(ValueError, match="claimed twice"):
        scopes(Settings())


@pytest.mark.parametrize("asked", [["everything"], []])
def test_a_token_for_what_nobody_knows_is_refused_with_what_there_is(asked: list[str]) -> None:
    with pytest.raises(ValueError, match="users:activate"):
        issue_token(KEY, asked, known=scopes(Settings()))
