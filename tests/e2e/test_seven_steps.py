"""From sign-up to log-in, moved only by events: the same test on every combination."""

from email import message_from_bytes, policy
from pathlib import Path

import pytest

from infra.demo.demonstration import STEP_TEXTS, Demonstration, Journey
from infra.demo.simulators import website
from tests.e2e.stage import Stage


@pytest.fixture(scope="module")
def shown(stage: Stage) -> Demonstration:
    """The example customers, taken as far as they get."""
    shown = Demonstration(stage.addresses, stage.key, stage.settings.data_dir, stage.king)
    shown.emit(stage.line, [*website.examples(), *website.examples(valid=False)])
    shown.play(lambda *_: None, patience=20)
    return shown


def by_company(shown: Demonstration) -> dict[str, Journey]:
    return {journey.company: journey for journey in shown.journeys.values()}


def mails(data_dir: Path, kind: str) -> list[Path]:
    return sorted(data_dir.glob(f"mail/*-{kind}-*.eml"))


def test_every_valid_signup_reaches_the_login(shown: Demonstration) -> None:
    # Given the twelve valid examples, When everyone does what is his turn,
    arrived = [journey for journey in shown.journeys.values() if journey.complete]
    # Then all have the seven steps behind them,
    assert len(arrived) == len(website.examples()) >= 12
    # and nobody is left on the way.
    assert shown.underway == []


def test_every_invalid_signup_is_answered_with_what_is_wrong(shown: Demonstration) -> None:
    # Given the invalid examples, When they were submitted,
    rejected = [journey for journey in shown.journeys.values() if journey.rejected]
    # Then each of them was told why, and none went on.
    assert len(rejected) == len(website.examples(valid=False))
    assert all(not journey.done for journey in rejected)


def test_the_steps_come_in_the_order_of_the_plan(shown: Demonstration) -> None:
    # Given the customers who arrived, When their steps are put in order of time,
    for journey in (arrived for arrived in shown.journeys.values() if arrived.complete):
        happened = sorted(journey.done, key=lambda step: journey.done[step])
        # Then signing up is first, logging in is last, and release never precedes the signature.
        assert happened[0] == "INSCHRIJVEN"
        assert happened[-1] == "INLOGGEN"
        assert happened.index("BEVESTIGEN") < happened.index("VRIJGEVEN")
        assert set(happened) == set(STEP_TEXTS)


def test_the_payer_and_the_office_get_the_confirmation_as_a_pdf(
    shown: Demonstration, data_dir: Path
) -> None:
    # Given orders for all who arrived, When the mails are looked through,
    letters = [
        message_from_bytes(file.read_bytes(), policy=policy.default)
        for file in mails(data_dir, "order_confirmation*")
    ]
    to_office = [letter for letter in letters if letter["To"] == "kantoor@voorbeeld.example"]
    # Then each order's confirmation went to its payer, with a copy to the office,
    assert len(shown.order_references) == 12
    assert len(to_office) >= 12
    assert len(letters) >= 24 - 2  # An office that pays is payer and office at once.
    # and bears the document.
    for letter in letters:
        (document,) = list(letter.iter_attachments())
        assert document.get_content_type() == "application/pdf"
        assert document.get_content().startswith(b"%PDF-")


def test_each_customer_got_one_message_with_credentials(
    shown: Demonstration, data_dir: Path
) -> None:
    # Given everyone has logged in, When the messages with credentials are counted,
    texts = list(data_dir.glob("sms/*.txt"))
    letters = mails(data_dir, "credentials")
    # Then there is one for each, by the channel that was asked for.
    by_sms = [
        journey
        for journey in shown.journeys.values()
        if journey.complete and journey.channel == "sms"
    ]
    assert len(texts) == len(by_sms)
    assert len(texts) + len(letters) == 12


def test_a_reversed_collection_takes_the_login_away(shown: Demonstration, stage: Stage) -> None:
    # Given a customer who has logged in,
    bakery = by_company(shown)["Bakkerij De Korenaar"]
    reference = shown.order_references[bakery.onboarding_id]
    request = next(
        request for request in stage.king.requests if request.order_reference == reference
    )
    # When KING reports that his collection was reversed,
    stage.king.report(request, bakery.onboarding_id, "reversed", "AM05")
    # Then the release is taken back,
    wait_for(lambda: "release_withdrawn" in stage.blockers(bakery.onboarding_id))
    # and the log-in is refused with the reason.
    name = (stage.onboarding(bakery.onboarding_id) or {})["login_name"]
    credentials = {"login_name": name, "password": "een-heel-eigen-zin-2026"}
    answer = stage.ask("POST", "activation", "/api/login", json=credentials)
    assert answer.status_code == 403
    assert answer.json()["code"] == "suspended"


def wait_for(condition: object) -> None:
    from tests.servers.premises import wait_until

    wait_until(condition, "what the test waits for has happened", 15)  # type: ignore[arg-type]
