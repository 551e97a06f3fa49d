"""How often a call asks its database: each time costs it as much as all else that it does."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread
from typing import Any

from sqlalchemy import event

from shared.host.runtime import Runtime
from tests.integration.http.conftest import Api
from tests.servers.premises import wait_until

WORKER = "AnyIO worker thread"
"""The threads that answer; what others do meanwhile is not counted."""


@contextmanager
def statements_of_calls(runtime: Runtime) -> Iterator[list[str]]:
    """What calls ask of a service's database meanwhile, in order."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: Any) -> None:
        if current_thread().name.startswith(WORKER):
            asked.append(statement)

    engine = runtime.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def runtime_of(api: Api, name: str) -> Runtime:
    return next(one for one in api.stage.runtimes if one.service.name == name)


def heard_of(api: Api) -> str:
    """A customer of whom activation has heard."""
    onboarding_id = api.sign_up()
    wait_until(lambda: api.stage.onboarding(onboarding_id) is not None, "activation has heard")
    return onboarding_id


def is_of_others(statement: str) -> bool:
    """Whether it marks what was said before, or stocks numbers for those who come."""
    return statement.startswith("UPDATE outbox") or "number_series" in statement


def without_begin(asked: list[str]) -> list[str]:
    return [statement for statement in asked if not statement.startswith("BEGIN")]


def test_where_a_customer_stands_is_one_question(api: Api) -> None:
    onboarding_id = heard_of(api)
    with statements_of_calls(runtime_of(api, "activation")) as asked:
        assert api.ask("GET", f"/api/onboardings/{onboarding_id}").status_code == 200
    assert len(without_begin(asked)) == 1


def test_a_list_is_one_question_for_no_more_than_it_shows(api: Api) -> None:
    heard_of(api)
    with statements_of_calls(runtime_of(api, "activation")) as asked:
        assert api.ask("GET", "/api/onboardings").status_code == 200
    (statement,) = without_begin(asked)
    assert "recovery_hash" not in statement


def test_a_sign_up_is_one_transaction(api: Api) -> None:
    # Given a service that has numbers in stock,
    api.sign_up()
    # When one more signs up, who is known by a KvK number as well,
    customer = api.form()["customer"] | {"kvk": "01234567"}
    with statements_of_calls(runtime_of(api, "signup")) as asked:
        api.sign_up(customer=customer)
    # Then it was claimed and written into the record of acts, four things were looked up, four
    # kinds of rows inserted and one changed, and nothing was asked once all that was said.
    own = [statement for statement in without_begin(asked) if not is_of_others(statement)]
    assert len(own) <= 11
    assert own[-1].startswith("INSERT INTO outbox")
