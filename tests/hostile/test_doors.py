"""Whatever comes in over HTTP is taken, or refused with a reason: no fault of ours."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from infra.demo.simulators import website
from shared.events import EVENTS
from shared.events import OUTSIDE as SPEAKERS
from shared.host.settings import Settings
from tests.e2e.stage import Stage, one_process
from tests.hostile.messages import DOCUMENTS, RAW, mutated, written_as_json
from tests.scopes import token_for


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The embedded default, with a KING that does nothing by itself."""
    made = Settings(data_dir=tmp_path_factory.mktemp("doors"), http_port=0, log_level="error")
    with one_process(made, simulate_king=False) as stage:
        yield stage


OUTSIDE = {
    "/api/events": [
        document for document in DOCUMENTS if EVENTS[document["type"]].said_by in SPEAKERS
    ],
    "/api/signups": [
        document for document in DOCUMENTS if document["type"] == "signup.submitted.v1"
    ],
}
"""What may come in by each door, when nothing is wrong with it."""
NEEDED = {"/api/events": "events:emit", "/api/signups": "signup:submit"}


@st.composite
def bodies(draw: st.DrawFn, path: str) -> bytes:
    """A body for this door: a hostile one, or bytes that are no JSON at all."""
    if draw(st.integers(0, 3)) == 0:
        return draw(RAW)
    document: Any = draw(mutated(OUTSIDE[path]))
    return written_as_json(document if path == "/api/events" else document.get("data"), draw)


def send(stage: Stage, path: str, body: bytes) -> httpx.Response:
    """Send it as a website that may."""
    token = token_for(stage.key, NEEDED[path], name="website", office="0042")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    address = f"{stage.addresses['signup']}{path}"
    return httpx.post(address, content=body, headers=headers, timeout=60)


@pytest.mark.parametrize("path", NEEDED)
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_every_body_gets_an_answer_that_is_not_our_fault(
    stage: Stage, path: str, data: st.DataObject
) -> None:
    # Given a body that nobody should send
    body = data.draw(bodies(path))
    # When it is sent by somebody who may send,
    answer = send(stage, path, body)
    # Then it is taken, or refused with a sentence for a person.
    assert answer.status_code == 202 or 400 <= answer.status_code < 500, answer.text
    if answer.status_code != 202:
        assert answer.json()["detail"].strip()


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    ["\ud800", "nul\0", float("nan"), float("inf"), nested(300), nested(900)],
    ids=["half a character", "NUL", "NaN", "Infinity", "300 deep", "900 deep"],
)
@pytest.mark.parametrize("path", NEEDED)
def test_what_only_some_readers_take_for_json_is_refused_by_name(
    stage: Stage, path: str, value: Any
) -> None:
    # Given a sign-up in which one field is not fit to be stored
    document = list(website.signups(20, seed=9))[-1]
    document["data"]["remarks"] = value
    body = json.dumps(document if path == "/api/events" else document["data"])
    # When it comes in, Then the sender is told what to correct.
    answer = send(stage, path, body.encode())
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "json_invalid"


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("POST", "/signup/0042", b"company=a%00b&email=a%40b.example"),
        ("GET", "/api/registrations?status=%00", b""),
        ("GET", "/api/onboardings/%00", b""),
    ],
)
def test_a_nul_in_a_form_or_an_address_is_refused(
    stage: Stage, method: str, path: str, form: bytes
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = httpx.request(
        method, f"{stage.addresses['signup']}{path}", content=form, headers=headers, timeout=60
    )
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "nul_character"


def test_a_good_event_is_taken_afterwards(stage: Stage) -> None:
    # Given a process that has been sent all that, When a good sign-up comes, Then it is taken.
    document = list(website.signups(20, seed=9))[-1]
    answer = stage.ask("POST", "signup", "/api/events", json=document)
    assert answer.status_code == 202, answer.text
