"""Sign-ups of one company, or under one key, at one moment: each in a transaction of its own."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from infra.composition import build_service, publisher_rules, senders
from services.signup.commands import PutOffice
from services.signup.models import ACCEPTED, Office, Signup
from services.signup.submission import submit as enter
from shared.base.errors import Invalid
from shared.events import SignupAccepted
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.persistence.schema import upgrade
from shared.processing import Effect, Person
from shared.processing.testing import RecordingBus
from tests.integration.plans.stock import golden
from tests.servers.postgres import MakeDatabase
from tests.servers.premises import wait_until

SUBMITTED = golden("signup.submitted.v1")
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture
def signup(make_database: MakeDatabase, tmp_path: Path) -> Iterator[Runtime]:
    """The service on PostgreSQL, without its threads, and with the office of the example."""
    settings = Settings(database_url=make_database("signup"), data_dir=tmp_path)
    service = build_service("signup", settings)
    rules = publisher_rules(settings)
    runtime = Runtime(service, settings, RecordingBus(), senders(settings), rules)
    upgrade(runtime.database, service.migrations)
    office = PutOffice(
        code=SUBMITTED["data"]["office_code"],
        name="Kantoor Voorbeeld",
        email="kantoor@voorbeeld.example",
        language="nl",
        review="flagged",
    )
    runtime.handle(office, subject=str(uuid4()), by=Person("test"))
    yield runtime
    runtime.database.close()


def submit(signup: Runtime) -> Sequence[Effect]:
    """The example's customer signs up, under an id of his own each time."""
    said = signup.handle_event(
        SUBMITTED["type"],
        SUBMITTED["data"],
        subject=str(uuid4()),
        source=SUBMITTED["source"],
        by=Person("website"),
        key=None,
    )
    assert said is not None
    return said


def test_the_second_of_one_moment_is_marked_as_a_likely_duplicate(signup: Runtime) -> None:
    customer = SUBMITTED["data"]["customer"]
    with ThreadPoolExecutor(1) as pool, Session(signup.database.engine) as first:
        # Given a sign-up whose transaction has not been committed yet,
        first.exec(select(Office).with_for_update()).all()
        row = Signup(onboarding_id=str(uuid4()), status=ACCEPTED, reference="S-2026-999999")
        row.office_code, row.kvk = SUBMITTED["data"]["office_code"], customer["kvk"]
        row.package_code = SUBMITTED["data"]["package"]["code"]
        first.add(row)
        first.flush()
        # When the same company signs up in another one,
        second: Future[Sequence[Effect]] = pool.submit(submit, signup)
        wait_until(lambda: second.done() or waits(signup), "the second waits for the first")
        first.commit()
        # Then the second sees the first, and the office is asked to look at it.
        accepted = [warning for warning in second.result(30) if isinstance(warning, SignupAccepted)]
    assert [warning.code for warning in accepted[0].warnings if warning.needs_review] == [
        "likely_duplicate"
    ]


@pytest.mark.parametrize("refused_first", [False, True])
def test_one_key_takes_one_of_many_contents(signup: Runtime, refused_first: bool) -> None:
    # Given a form, which was refused before or is sent for the first time,
    by, key = Person("website"), "form-1"
    if refused_first:
        with pytest.raises(Invalid) as refusal:
            enter(signup, form_of("") | {"remarks": 7}, by=by, key=key)
        assert refusal.value.code == "signup_invalid"
    forms = [form_of(f"Bakkerij {number}") for number in range(20)]

    def send(form: dict[str, Any]) -> str:
        try:
            return enter(signup, form, by=by, key=key)[1].reference
        except Invalid as reused:
            return reused.code

    # When it comes with many contents at one moment, under one key,
    with ThreadPoolExecutor(len(forms)) as pool:
        answers = list(pool.map(send, forms))
    # Then one of them is taken, and answered alike when it comes again; the others are refused.
    (taken,) = [n for n, answer in enumerate(answers) if answer != "idempotency_key_reused"]
    assert [send(form) for form in forms] == answers
    with signup.database.read() as session:
        assert session.exec(select(Signup.reference)).all() == [answers[taken]]


def form_of(company: str) -> dict[str, Any]:
    """The example's sign-up, of another company."""
    data = SUBMITTED["data"]
    return {**data, "customer": {**data["customer"], "company": company}}


def waits(signup: Runtime) -> bool:
    with signup.database.engine.connect() as connection:
        return bool(connection.execute(text(WAITING)).scalar_one())
