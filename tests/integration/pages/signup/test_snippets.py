"""The lines that webmasters copy do what the page says: they are run as they stand there."""

import json
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pika  # noqa: TID251 - it stands for whoever reads the queue
import pytest

from infra.composition import topology
from services.signup.pages.manual import snippets
from shared.host.runtime import utc_now
from shared.host.settings import Settings
from shared.links import Purpose
from shared.messaging.topology.declare import apply
from tests.e2e.stage import Stage
from tests.integration.http.conftest import Api
from tests.servers.debian import ensure
from tests.servers.premises import wait_until
from tests.visitors import Visitor

EXAMPLES = Path(__file__).parents[4] / "infra" / "demo" / "examples"


def lines(customer: Visitor, name: str, path: str = "/try/0042/docs") -> str:
    """The lines by this name, as they stand on the page."""
    found = re.search(rf'<code id="{name}">(.*?)</code>', customer.get(path).text, re.DOTALL)
    assert found, f"the page has no {name}"
    return unescape(found[1])


def run(command: list[str], program: str, **environment: str) -> str:
    """What a program prints that ends well."""
    done = subprocess.run(
        command,
        input=program,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def php() -> str:
    """PHP's interpreter, installed where that is allowed."""
    path = Path("/usr/bin/php")
    return str(ensure("php-cli", lambda: path if path.exists() else None))


def is_signed_up(stage: Stage, output: str) -> bool:
    """Whether what was printed leads to the page of a customer who is on their way."""
    token = output.split("/status/")[1].split(maxsplit=1)[0].strip('",}')
    onboarding_id = stage.settings.page_links().read(Purpose.STATUS, token, utc_now()).claims["sub"]
    wait_until(lambda: stage.onboarding(onboarding_id) is not None, "it is followed", 20)
    return True


@pytest.mark.parametrize(
    ("name", "command"),
    [("curl", ["sh", "-s"]), ("python", [sys.executable, "-"]), ("php", ["php"])],
)
def test_a_snippet_signs_a_customer_up(
    customer: Visitor, api: Api, name: str, command: list[str]
) -> None:
    # Given a webmaster with a token of their office, When they run the lines of the page
    if name == "php":
        command = [php()]
    token = api.token("signup:submit", office="0042")
    output = run(command, lines(customer, f"http-{name}"), STAPPENPLAN_TOKEN=token)
    # Then a customer has signed up.
    assert is_signed_up(api.stage, output)


@pytest.mark.parametrize("name", ["python", "php"])
def test_a_snippet_shows_what_is_wrong(customer: Visitor, api: Api, name: str) -> None:
    wrong = lines(customer, f"http-{name}").replace('"01234567"', '"123"').replace("form-", "bad-")
    token = api.token("signup:submit", office="0042")
    command = [php()] if name == "php" else [sys.executable, "-"]
    output = run(command, wrong, STAPPENPLAN_TOKEN=token)
    assert "customer.kvk Een KvK-nummer heeft precies 8 cijfers" in output


def test_the_snippet_for_dotnet_sends_the_very_example(customer: Visitor) -> None:
    # Its runtime is not to be had here, so what can be read of it is compared.
    program = lines(customer, "http-dotnet")
    body = program.partition('"""')[2].partition('"""')[0]
    assert json.loads(body) == snippets.example_signup("0042")
    assert program.count("{") == program.count("}")
    assert program.count("(") == program.count(")")


def test_the_snippet_for_a_broker_publishes_what_signup_takes(
    customer: Visitor, vhost: str, tmp_path: Path
) -> None:
    # Given a broker with the exchange of office 0042
    settings = Settings(broker_url=vhost, data_dir=tmp_path)
    apply(topology(settings).with_offices(["0042"]), vhost)
    # When the lines of the page are run
    program = lines(customer, "amqp-code")
    output = run([sys.executable, "-"], program, STAPPENPLAN_BROKER_URL=vhost)
    assert "the broker has it" in output
    # Then the event lies in signup's queue.
    connection = pika.BlockingConnection(pika.URLParameters(vhost))
    _, properties, body = connection.channel().basic_get("signup", auto_ack=True)
    connection.close()
    assert properties.content_type == "application/cloudevents+json"
    assert json.loads(body)["data"] == snippets.example_signup("0042")


def test_kings_lines_report_and_ask(customer: Visitor, api: Api) -> None:
    # Given KING's billing with a token of its own
    token = api.token("collections:report")
    docs = "/try/king-billing/docs"
    requested = run(["sh", "-s"], lines(customer, "requests", docs), STAPPENPLAN_TOKEN=token)
    assert isinstance(json.loads(requested), list)
    reported = run(["sh", "-s"], lines(customer, "report", docs), STAPPENPLAN_TOKEN=token)
    assert "O-2026-000123" in reported


def test_the_example_is_the_one_that_is_shipped() -> None:
    shipped = json.loads((EXAMPLES / "01-bakkerij.json").read_text())["data"]
    assert snippets.example_signup("0042") | {"terms": None} == shipped | {"terms": None}


def test_the_address_and_office_on_the_page_are_its_own(customer: Visitor, stage: Stage) -> None:
    page = customer.get("/try/0077/docs").text
    assert f"{stage.addresses['signup']}/signup/0077" in page
    assert "@@" not in page
