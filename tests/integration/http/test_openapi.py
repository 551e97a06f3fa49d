"""The OpenAPI document says all that a call may answer: tried with whatever a caller may send."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.host.settings import Settings
from tests.e2e.stage import one_process
from tests.integration.http.conftest import Api
from tests.scopes import SCOPES

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
SECONDS = 60
"""Within which the document is tried; it takes half of them."""
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A process of its own: here come hundreds of wrong passwords, and offices of any name."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("openapi"), http_port=0, log_level="error")
    with one_process(settings, simulate_king=False) as stage:
        yield Api(stage)


def operations(api: Api) -> dict[str, dict[str, Any]]:
    """Each call of the document, by method and path."""
    paths = httpx.get(f"{api.address}/openapi.json", timeout=30).json()["paths"]
    return {
        f"{method.upper()} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def test_nothing_is_answered_that_is_not_documented(api: Api) -> None:
    # Given somebody of KING who may do anything, and a customer on their way,
    api.order_of(api.sign_up())
    token = api.token(*SCOPES)
    # When every call is tried with all that the document allows, and much that it does not,
    run = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "run", f"{api.address}/openapi.json"),
            *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"),
            *("--seed", "20261126", "--max-examples", "3", "--continue-on-failure"),
            *("--header", f"Authorization: Bearer {token}", "--no-color", "--warnings", "off"),
        ],
        cwd=api.stage.settings.data_dir,
        capture_output=True,
        text=True,
        timeout=4 * SECONDS,
        check=False,
    )
    # Then each answer is one that it names.
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]


def test_every_call_names_its_problems(api: Api) -> None:
    for call, operation in operations(api).items():
        answers = operation["responses"]
        expected = {"400", "413", "503"}
        if operation.get("security"):
            expected |= {"401", "403"}
        if "{" in call:
            expected |= {"404", "422"}
        assert expected <= answers.keys(), call
        for status, answer in answers.items():
            if status.startswith("4"):
                assert list(answer["content"]) == [PROBLEM], (call, status)


def test_a_login_names_what_can_come_of_it(api: Api) -> None:
    for call in ("POST /api/login", "POST /api/password"):
        answers = operations(api)[call]["responses"]
        assert {"401", "403", "422", "429", "503"} <= answers.keys()


def test_the_document_is_no_stricter_than_the_server(api: Api) -> None:
    # Given a sign-up as people type it, which is taken,
    form = api.form("0042")
    form["customer"] |= {"kvk": "12.34.56.78", "mobile": "06 1234 5678"}
    body = operations(api)["POST /api/signups"]["requestBody"]["content"]["application/json"]
    # When its form is looked up, Then no pattern stands in its way.
    assert "pattern" not in str(body["schema"]["properties"]["customer"])
