"""`stappenplan status`: one customer's seven steps, found by what somebody types."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.demo.simulators import website
from services.activation.steps import STATES
from shared.host.settings import Settings
from tests.e2e.stage import Stage, one_process
from tests.integration.command_line.shell import Shell
from tests.servers.premises import wait_until

MILL = "Molen de Vier Winden"
BAKERY = "Bakkerij [red] Windlust"


def sign_up(stage: Stage, number: int, company: str) -> dict[str, Any]:
    """A customer whose confirmation is with the payer; their checklist."""
    shipped = len(website.examples())
    form = list(website.signups(shipped + number, seed=8))[-1]["data"]
    form["customer"] |= {"company": company, "email": f"post{number}@winden.example"}
    answer = stage.ask("POST", "signup", "/api/signups", json=form)
    assert answer.status_code == 202, answer.text
    onboarding_id = answer.json()["onboarding_id"]
    wait_until(lambda: "signature_missing" in stage.blockers(onboarding_id), "it is to be signed")
    return stage.onboarding(onboarding_id) or {}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, dict[str, Any]]]:
    """An office with two customers, one of them with a name that means ill; the former's steps."""
    folder = tmp_path_factory.mktemp("status")
    with one_process(Settings(data_dir=folder, http_port=0), simulate_king=False) as stage:
        mill = sign_up(stage, 1, MILL)
        sign_up(stage, 2, BAKERY)
        yield Shell(folder, {}), mill


@pytest.mark.parametrize("columns", [60, 100])
def test_a_customer_is_shown_with_steps_blockers_and_history(
    office: tuple[Shell, dict[str, Any]], columns: int
) -> None:
    shell, mill = office
    # Given a narrow window or a wide one, When somebody asks by a reference,
    answer = Shell(shell.data_dir, {}, columns)("status", mill["reference"])
    assert answer.returncode == 0, answer.stderr
    shown = answer.stdout
    # Then the seven steps are there in their order, what is done, and what is waited for,
    assert shown.startswith(MILL)
    assert [line.split()[1] for line in shown.splitlines()[2:9]] == list(STATES)
    marks = [line[0] for line in shown.splitlines()[2:9]]
    assert marks == ["✓", "✓", "✓", "►", "·", "·", "·"]
    together = " ".join(shown.split())
    waited_for = f"Wacht op de ondertekende order-/incassobevestiging {mill['order_reference']}."
    assert f"payer: {waited_for}" in together
    assert "(signature_missing)" in together
    # And how they came there, in no line longer than the window.
    assert re.search(rf"signup.accepted \w+ reference {mill['reference']} ", together)
    assert re.search(r"registration.completed \w+ customer number K-", together)
    assert max(map(len, shown.splitlines())) <= columns


@pytest.mark.parametrize("name", ["molen", "vier winden", "post1@winden", "onboarding_id"])
def test_one_who_is_found_by_a_name_or_an_id_is_shown(
    office: tuple[Shell, dict[str, Any]], name: str
) -> None:
    shell, mill = office
    document = shell.json("status", mill.get(name, name), "--json")
    history = document.pop("history")
    assert document == mill
    assert [entry["what"] for entry in history][:1] == ["signup.accepted.v1"]


def test_of_several_the_references_are_told(office: tuple[Shell, dict[str, Any]]) -> None:
    # Given two customers whose addresses begin alike,
    shell, mill = office
    # When somebody asks by that, Then each is named with a reference, and what is next.
    answer = shell("status", "post")
    assert answer.returncode == 1
    first, second = answer.stdout.splitlines()
    assert first == f"{mill['reference']}  {MILL}  BEVESTIGEN: the payer must act"
    assert second.split("  ")[1] == BAKERY
    assert answer.stderr == "2 customers: ask for one of them by its reference\n"
    listed = json.loads(shell("status", "post", "--json").stdout)
    assert [row["company"] for row in listed] == [MILL, BAKERY]


@pytest.mark.parametrize("text", ["zwinderman", "S-2026-999999", "!", ""])
def test_of_nobody_it_is_said_what_to_type(office: tuple[Shell, dict[str, Any]], text: str) -> None:
    shell, _ = office
    answer = shell("status", text)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "type how a word of the company" in answer.stderr


def test_to_look_makes_no_database(shell: Shell) -> None:
    answer = shell("status", "molen")
    assert answer.returncode == 1
    assert "is made by the first `stappenplan run`" in answer.stderr
    assert list(shell.data_dir.iterdir()) == []
