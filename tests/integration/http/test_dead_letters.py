"""Dead letters over HTTP: who may see them, and what an operator decides."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from infra.operations.dead_letters.routes import routes
from infra.run.runtimes import BusFactory, build_runtimes
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.persistence.database import Database
from shared.processing.store.tables import Act
from shared.web.app import create_app
from tests.e2e.king import Event, collection_result, say
from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import is_problem
from tests.scopes import signed_claims
from tests.servers.premises import wait_until

SCOPE = "dead-letters:manage"
Letter = dict[str, Any]


class Desk:
    """An operator at the API."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.token = api.token(SCOPE)

    def call(self, method: str, path: str = "", **rest: Any) -> httpx.Response:
        return self.api.call(method, f"/api/billing/dead-letters{path}", self.token, **rest)

    def listed(self) -> list[Letter]:
        answer = self.call("GET")
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    def dead_letter(self, about: str = "") -> tuple[str, Event]:
        """KING reports something impossible; the letter's id at billing, and the event."""
        event = collection_result(about, attempt="first")
        before = {letter["id"] for letter in self.listed()}
        say(self.api.stage, event)

        def new() -> list[str]:
            return [letter["id"] for letter in self.listed() if letter["id"] not in before]

        wait_until(lambda: bool(new()), "billing has refused it", 20)
        return new()[0], event

    def show(self, letter_id: str) -> Letter:
        answer = self.call("GET", f"/{letter_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
def desk(api: Api) -> Desk:
    return Desk(api)


def test_an_operator_finds_a_letter_corrects_it_and_it_is_run(desk: Desk) -> None:
    # Given a report of KING that billing has refused,
    letter_id, event = desk.dead_letter()
    (listed,) = [letter for letter in desk.listed() if letter["id"] == letter_id]
    assert (listed["service"], listed["kind"]) == ("billing", "message")
    assert "attempt" in listed["error"]
    assert desk.show(letter_id)["body"] == event
    # When an operator corrects and retries it,
    event["data"]["attempt"] = 1
    answer = desk.call("POST", f"/{letter_id}/retry", json={"why": "KING mended it", "body": event})
    # Then billing runs it at once,
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"service": "billing", "id": letter_id, "verdict": "retry"}
    wait_until(lambda: desk.show(letter_id)["status"] == "done", "it was run", 20)
    # the token's subject is on record, and the original is still there.
    shown = desk.show(letter_id)
    (decision,) = shown["decisions"]
    assert (decision["by"], decision["why"]) == ("anna", "KING mended it")
    assert decision["correction"] == event
    assert shown["original"]["body"]["data"]["attempt"] == "first"
    # Nothing is left to decide.
    assert letter_id not in {letter["id"] for letter in desk.listed()}
    again = desk.call("POST", f"/{letter_id}/retry", json={"why": "again"})
    assert is_problem(again, 409, "not_dead")
    assert "anna decided" in again.json()["detail"]


def test_what_would_be_refused_again_is_said_so_and_changes_nothing(desk: Desk) -> None:
    letter_id, event = desk.dead_letter()
    before = desk.show(letter_id)
    # When it is retried as it is, or with another error,
    event["data"] |= {"attempt": 1, "amount_cents": "much"}
    for body in ({"why": "x"}, {"why": "x", "body": event}):
        answer = desk.call("POST", f"/{letter_id}/retry", json=body)
        # Then the operator is told what is wrong, and it is as it was.
        assert is_problem(answer, 422, "would_be_refused")
    assert "amount_cents" in answer.json()["detail"]
    assert desk.show(letter_id) == before


def test_a_letter_is_dropped_with_a_reason(desk: Desk) -> None:
    letter_id, _ = desk.dead_letter()
    # Without a reason nothing is decided;
    for body in ({}, {"why": ""}, {"why": "  "}, {"why": "x", "more": 1}):
        for verdict in ("drop", "retry"):
            refused = desk.call("POST", f"/{letter_id}/{verdict}", json=body)
            assert is_problem(refused, 422, "invalid")
    # with one, by as much of the id as tells it from others, it is, and it stays on record.
    answer = desk.call("POST", f"/{letter_id[:24]}/drop", json={"why": "a test of KING's"})
    assert answer.status_code == 200, answer.text
    shown = desk.show(letter_id)
    assert (shown["status"], shown["decided_by"]) == ("dropped", "anna")
    assert is_problem(desk.call("POST", f"/{letter_id}/drop", json={"why": "x"}), 409)
    # So it does among the acts of people: who did it, and from where.
    (act,) = [act for act in acts_of_letters(desk.api) if letter_id in act.details]
    assert (act.what, act.who, act.office) == ("dead_letter.drop", "anna", None)
    assert act.address == "127.0.0.1"


def acts_of_letters(api: Api) -> list[Act]:
    database = Database(api.stage.settings.database_url_of("billing"))
    try:
        with database.read() as session:
            about_letters = col(Act.what).startswith("dead_letter.")
            return list(session.exec(select(Act).where(about_letters)))
    finally:
        database.close()


def test_of_many_operators_at_once_one_wins(desk: Desk) -> None:
    letter_id, event = desk.dead_letter()
    event["data"]["attempt"] = 1

    def press(number: int) -> int:
        body = {"why": f"{number}", "body": event}
        return desk.call("POST", f"/{letter_id}/retry", json=body).status_code

    # When eight press at once, Then one is told that it is done, and the others that it was.
    with ThreadPoolExecutor(8) as threads:
        answers = sorted(threads.map(press, range(8)))
    assert answers == [202] + [409] * 7
    assert len(desk.show(letter_id)["decisions"]) == 1


def dead_lettered(desk: Desk) -> float:
    """How many messages billing has given up because they could never work, as its metrics say."""
    lines = desk.api.call("GET", "/metrics").text.splitlines()
    name = 'stappenplan_messages_dead_lettered_total{reason="rejected",service="billing"}'
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_whoever_watches_the_metrics_sees_how_many_died_and_of_what(desk: Desk) -> None:
    # Given how many billing has dead-lettered by now,
    before = dead_lettered(desk)
    # When two more messages die, Then the counter says so, with the service and the reason,
    desk.dead_letter()
    desk.dead_letter()
    wait_until(lambda: dead_lettered(desk) == before + 2, "the metrics were looked up anew", 5)
    # and that it is one that only grows.
    exposition = desk.api.call("GET", "/metrics").text
    assert "# TYPE stappenplan_messages_dead_lettered_total counter" in exposition


def test_no_office_sees_them(desk: Desk, api: Api) -> None:
    # Given a token with the scope, but for one office alone,
    letter_id, _ = desk.dead_letter()
    claims = {"scope": SCOPE, "office": "0042"}
    token = signed_claims(api.stage.key, "all_offices", **claims)
    calls = [("GET", ""), ("GET", f"/{letter_id}"), ("POST", f"/{letter_id}/drop")]
    for method, path in calls:
        # When it is used, Then nothing is told.
        answer = api.call(method, f"/api/billing/dead-letters{path}", token, json={"why": "x"})
        assert is_problem(answer, 403, "not_for_offices")
    assert desk.show(letter_id)["status"] == "dead"


def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    assert is_problem(desk.call("GET", "/nobody"), 404, "no_such_letter")
    for path in ("", "/nobody"):
        answer = desk.api.call("GET", f"/api/payroll/dead-letters{path}", desk.token)
        assert is_problem(answer, 404, "service_not_here")
    for verdict in ("drop", "retry"):
        answer = desk.call("POST", f"/nobody/{verdict}", json={"why": "x"})
        assert is_problem(answer, 404, "no_such_letter")


def test_the_paths_of_before_are_gone(desk: Desk) -> None:
    letter_id, _ = desk.dead_letter()
    for path in ("", f"/billing/{letter_id}"):
        answer = desk.api.call("GET", f"/api/dead-letters{path}", desk.token)
        assert is_problem(answer, 404, "not_found")


def test_letters_that_died_of_the_same_stand_together_and_name_their_customer(
    desk: Desk, api: Api
) -> None:
    # Given a customer with an order, about whom KING reports something impossible, twice,
    customer = api.sign_up()
    reference = api.order_of(customer)
    first, _ = desk.dead_letter(customer)
    second, _ = desk.dead_letter(customer)
    # and a report about nobody that is known,
    stranger, _ = desk.dead_letter()
    listed = desk.listed()
    letters = {letter["id"]: letter for letter in listed}
    # When they are listed, Then each names its customer, as far as one is known,
    assert letters[first]["reference"] == letters[second]["reference"] == reference
    assert "te 0042" in letters[first]["company"]
    assert (letters[stranger]["reference"], letters[stranger]["company"]) == (None, None)
    # and those of one error are one group, with its number, and stand side by side.
    fingerprint = letters[first]["fingerprint"]
    group = [letter for letter in listed if letter["fingerprint"] == fingerprint]
    assert {first, second, stranger} <= {letter["id"] for letter in group}
    assert {letter["alike"] for letter in group} == {len(group)}
    positions = [n for n, letter in enumerate(listed) if letter["fingerprint"] == fingerprint]
    assert positions == list(range(positions[0], positions[0] + len(group)))


def test_a_letter_with_a_slash_in_its_id_can_be_shown_and_decided(desk: Desk) -> None:
    # Given a message under an id that was used for other contents, kept under a key of its own,
    _, event = desk.dead_letter()
    say(desk.api.stage, event | {"data": {}})

    def slashed() -> list[str]:
        return [letter["id"] for letter in desk.listed() if "/" in letter["id"]]

    wait_until(lambda: bool(slashed()), "the other contents are refused", 20)
    # When it is asked for by that id, Then it is there, and may be dropped.
    for name in slashed():
        assert desk.show(name)["id"] == name
        assert desk.call("POST", f"/{name}/drop", json={"why": "x"}).status_code == 200
    assert slashed() == []


def test_a_process_of_one_service_answers_for_that_one_alone(tmp_path: Path, api: Api) -> None:
    # Given a process that runs signup alone, with a dead letter,
    from fastapi.testclient import TestClient

    from shared.persistence.schema import upgrade

    settings = Settings(data_dir=tmp_path)
    runtimes = build_runtimes(settings, BusFactory(settings), ["signup"])
    (runtime,) = runtimes
    upgrade(runtime.database, runtime.service.migrations)
    runtime.engine.take([Incoming(b"not an event", "signup.submitted.v1")])
    app = create_app([routes(runtimes)], token_key=api.stage.key)
    client = TestClient(app, headers={"Authorization": f"Bearer {api.token(SCOPE)}"})
    # When it is asked for its dead letters, Then it tells its own, and of others that it has none.
    (letter,) = client.get("/api/signup/dead-letters").json()
    assert letter["service"] == "signup"
    assert client.get("/api/billing/dead-letters/x").json()["code"] == "service_not_here"
    runtime.database.close()
