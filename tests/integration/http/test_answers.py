"""What every answer says beside its contents, and requests that readers understand differently."""

import json
import socket
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence

import httpx
import pytest
from starlette.exceptions import HTTPException
from structlog.testing import capture_logs

from infra.run.http_server import HttpServer
from infra.run.sockets import listen
from shared.base.errors import Conflict, Unavailable
from shared.web.app import api_router, create_app
from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import is_problem

BOUND = 20


@pytest.fixture
def port() -> Iterator[int]:
    """A process with calls that fail in various ways."""
    router = api_router()
    parcels = api_router(prefix="/api/parcels")

    @parcels.get("/{number}")
    def show(number: str) -> str:
        return number

    @parcels.put("/{number}")
    def put(number: str) -> str:
        return number

    @parcels.post("/{number}/conflict")
    def conflict(number: str) -> str:
        raise Conflict("taken", "It is taken.", extra={"status": "taken", "code": 7, "by": number})

    @parcels.post("/{number}/crash")
    def crash(number: str) -> str:
        raise RuntimeError(number)

    @parcels.post("/{number}/busy")
    def busy(number: str) -> str:
        raise Unavailable("too_busy", "Come again.", extra={"retry_after": 2})

    @parcels.get("/{number}/teapot")
    def teapot(number: str) -> str:
        raise HTTPException(418, "a teapot", headers={"X-Pot": number})

    router.include_router(parcels)
    listening = listen("127.0.0.1", 0, "HTTP_PORT")
    server = HttpServer(create_app([router], token_key="k" * 40), listening)
    server.start()
    yield int(listening.getsockname()[1])
    server.stop(30.0)
    listening.close()


@pytest.fixture
def call(port: int) -> Callable[..., httpx.Response]:
    """Calls this process."""

    def ask(method: str, path: str, **rest: object) -> httpx.Response:
        url = f"http://127.0.0.1:{port}{path}"
        return httpx.request(method, url, timeout=BOUND, **rest)  # type: ignore[arg-type]

    return ask


PATHS = [
    *(("GET", f"/api/parcels/{name}") for name in ("1", "1/teapot", "no/such/thing")),
    *(("POST", f"/api/parcels/1{name}") for name in ("", "/conflict", "/crash", "/busy")),
    ("GET", "/api/parcels/1?q=%00"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_nothing_about_people_is_kept_on_its_way(
    call: Callable[..., httpx.Response], method: str, path: str
) -> None:
    with capture_logs():  # To show a fault in colours takes longer than the call.
        answer = call(method, path)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_about_nobody_may_be_kept(call: Callable[..., httpx.Response]) -> None:
    answer = call("GET", "/openapi.json")
    assert "cache-control" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "OPTIONS"])
def test_a_method_that_a_path_does_not_have_is_answered_with_those_it_has(
    call: Callable[..., httpx.Response], method: str
) -> None:
    answer = call(method, "/api/parcels/1")
    assert is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, PUT"


def test_headers_of_a_refusal_are_not_lost(call: Callable[..., httpx.Response]) -> None:
    assert call("GET", "/api/parcels/7/teapot").headers["x-pot"] == "7"
    assert call("POST", "/api/parcels/7/busy").headers["retry-after"] == "2"


def test_a_slash_too_many_sends_nobody_to_another_host(
    call: Callable[..., httpx.Response],
) -> None:
    answer = call("GET", "/api/parcels/1/", headers={"Host": "evil.example"})
    assert is_problem(answer, 404, "not_found")
    assert "location" not in answer.headers


def test_the_status_in_a_problem_is_the_number_of_the_answer(
    call: Callable[..., httpx.Response],
) -> None:
    document = call("POST", "/api/parcels/anna/conflict").json()
    assert (document["status"], document["code"], document["by"]) == (409, "taken", "anna")


def test_what_stands_in_the_way_of_a_decision_is_told_as_its_state(api: Api) -> None:
    # Given a customer who has left, When somebody wants to stop them once more,
    onboarding_id = api.sign_up()
    path = f"/api/signups/{onboarding_id}/withdraw"
    assert api.ask("POST", path).status_code == 202
    answer = api.ask("POST", path)
    # Then the document says 409, and what they are.
    assert is_problem(answer, 409, "not_open")
    assert (answer.json()["status"], answer.json()["state"]) == (409, "withdrawn")


def post(port: int, headers: Sequence[str], body: str) -> tuple[int, str]:
    """Post a body with headers as they stand; status and code of the answer."""
    head = [
        "POST /api/parcels/1/conflict HTTP/1.1",
        *("Host: here", "Connection: close", f"Content-Length: {len(body)}"),
        *headers,
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=BOUND) as client:
        client.sendall(("\r\n".join(head) + "\r\n\r\n" + body).encode())
        answer = b""
        while data := client.recv(65536):
            answer += data
    status, _, document = answer.partition(b"\r\n\r\n")
    return int(status.split()[1]), str(json.loads(document)["code"])


@pytest.mark.parametrize(
    ("types", "code"),
    [
        (["application/JSON"], "json_invalid"),
        (["Application/Problem+Json"], "json_invalid"),
        (["application/json ; charset=UTF-8"], "json_invalid"),
        ([], "json_invalid"),
        ([""], "json_invalid"),
        (["text/plain", "application/json"], "content_type_repeated"),
        (["application/json", "text/plain"], "content_type_repeated"),
        (["application/json", "application/json"], "content_type_repeated"),
    ],
)
@pytest.mark.parametrize("body", ['{"a": NaN}', '{"a": "\\u0000"}', '{"a": 1, "a": 2'])
def test_json_is_read_strictly_however_its_type_is_written(
    port: int, types: list[str], code: str, body: str
) -> None:
    headers = [f"Content-Type: {media_type}" for media_type in types]
    assert post(port, headers, body) == (400, code)


@pytest.mark.parametrize(
    "media_type",
    [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-Urlencoded",
        " APPLICATION/x-www-form-urlencoded;a=b",
    ],
)
def test_no_form_holds_a_nul_however_its_type_is_written(port: int, media_type: str) -> None:
    assert post(port, [f"Content-Type: {media_type}"], "a=%00") == (400, "nul_character")


@pytest.mark.parametrize("path", ["/api/onboardings", "/api/offices", "/api/registrations"])
@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00+00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59+00:00",
        "9999-12-31T23:59:59-12:00",
        "1899-12-31T23:59:59+00:00",
    ],
)
def test_a_page_after_a_moment_that_no_row_has_is_no_page(api: Api, path: str, moment: str) -> None:
    place = urlsafe_b64encode(json.dumps(["", moment, "x"]).encode()).decode().rstrip("=")
    assert is_problem(api.ask("GET", path, params={"after": place}), 422, "after_unknown")


def test_a_body_that_breaks_off_is_no_fault_of_ours(
    port: int,
) -> None:
    # Given a client who announces more than they send, When they hang up,
    head = (
        b"POST /api/parcels/1/conflict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
        b"Content-Type: application/json\r\n\r\n{"
    )
    with capture_logs() as lines:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port), timeout=BOUND) as client:
                client.sendall(head)
        # Then others are answered, and nothing is said of it.
        assert httpx.get(f"http://127.0.0.1:{port}/api/parcels/1", timeout=BOUND).json() == "1"
    assert lines == []
