"""The stage that pages are shown on: visited like any other, at a time that stands still."""

from datetime import timedelta
from pathlib import Path

from shared.host.settings import Settings
from tests.browser.visitors import Visitors
from tests.e2e.api import Api
from tests.e2e.clock import MONDAY_MORNING, StandingClock
from tests.e2e.stage import one_process
from tests.servers.premises import wait_until


def test_the_documentation_needs_nobody_elses_machine(person: Visitors) -> None:
    # Given the page of every call, which works without the internet,
    page = person()
    # When a webmaster opens it, Then it shows the calls, and has asked nobody else (`person`).
    page.goto("/docs")
    # It draws every call by a large script, which takes its time on a busy machine.
    page.get_by_text("/api/signups", exact=True).wait_for(timeout=30_000)


def test_all_that_happens_on_the_stage_happens_on_one_monday_morning(api: Api) -> None:
    # Given a customer who went through all that is done before they are activated,
    customer = api.release()
    # When the steps are shown,
    steps = (api.stage.onboarding(customer) or {})["steps"]
    # Then each was done in the same minute, whatever day it is, one after the other.
    moments = [step["at"] for step in steps if step["status"] == "done"]
    assert len(moments) == 5
    assert {moment[:16] for moment in moments} == {MONDAY_MORNING.isoformat()[:16]}


def test_days_pass_on_a_stage_of_ones_own_when_it_is_told_so(tmp_path: Path) -> None:
    # Given a stage whose clock stands, and a payer who does not sign,
    settings = Settings(data_dir=tmp_path, http_port=0, log_level="error")
    with one_process(settings, simulate_king=False, clock=StandingClock()) as stage:
        api = Api(stage)
        api.order_of(api.sign_up())
        mails = {path.name for path in tmp_path.glob("mail/*.eml")}
        # When a week passes at once,
        stage.let_pass(timedelta(days=7, minutes=1))
        # Then they are reminded without anybody waiting for it.
        wait_until(
            lambda: bool({path.name for path in tmp_path.glob("mail/*.eml")} - mails),
            "the payer is reminded",
            10,
        )
