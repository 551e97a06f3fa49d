"""`stappenplan topology apply` and `office add` on RabbitMQ: what they make, and what they say."""

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha512
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import pika  # noqa: TID251  A foreign client, to look at what was made.
import pytest
from pika.exceptions import ChannelClosedByBroker, UnroutableError  # noqa: TID251

from infra.composition import KING, service_names
from shared.messaging.bus import EXCHANGE
from shared.messaging.topology.definitions import OUTSIDE_LIMITS
from shared.messaging.topology.policies import LIMITS_POLICY, MAX_QUEUE_BYTES
from shared.messaging.topology.topology import MAX_LENGTH
from tests.integration.command_line.shell import Shell
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ

SUBMITTED = "signup.submitted.v1"
SHA512 = "rabbit_password_hashing_sha512"
OFFICE = ("--name", "Kantoor", "--email", "kantoor@voorbeeld.example")
USERS = {*service_names(), KING.name, "website-0042", "website-0077"}


@pytest.fixture
def managed(broker_shell: Shell, rabbitmq: RabbitMQ) -> Iterator[Shell]:
    """A shell that knows the management interface; the users that it makes go afterwards."""
    there = {user["name"] for user in rabbitmq.management.call("GET", "/users")}
    assert there.isdisjoint(USERS), "this broker serves a Stappenplan: leave it alone"
    broker, management = urlsplit(rabbitmq.url), urlsplit(rabbitmq.management.address)
    login = f"{broker.username}:{broker.password}@{management.netloc}"
    broker_shell.settings["MANAGEMENT_URL"] = urlunsplit(management._replace(netloc=login))
    yield broker_shell
    for user in {user["name"] for user in rabbitmq.management.call("GET", "/users")} & USERS:
        rabbitmq.management.call("DELETE", f"/users/{user}")


def said(shell: Shell, *words: str) -> str:
    """What a command says that succeeds."""
    answer = shell(*words)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def told_passwords(output: str) -> dict[str, str]:
    """The new passwords that a command has told."""
    lines = (line.split() for line in output.splitlines() if line.startswith("  "))
    return {words[0]: words[1] for words in lines if words[0] in USERS}


def reaches(url: str, exchange: str, event: str = SUBMITTED) -> bool:
    """Whether a message that is published there comes to any queue."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    try:
        channel.basic_publish(exchange, event, b"{}", mandatory=True)
    except (ChannelClosedByBroker, UnroutableError):
        return False
    finally:
        connection.close()
    return True


def address(shell: Shell, user: str, password: str) -> str:
    parts = urlsplit(shell.settings["BROKER_URL"])
    netloc = f"{user}:{quote(password, safe='')}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=netloc))


def vhost(shell: Shell) -> str:
    return urlsplit(shell.settings["BROKER_URL"]).path.removeprefix("/")


def limited_queues(shell: Shell, rabbitmq: RabbitMQ) -> set[str]:
    """The queues to which the policy applies: the management interface knows a little later."""
    rows = rabbitmq.management.call("GET", f"/queues/{vhost(shell)}")
    return {row["name"] for row in rows if row.get("policy") == LIMITS_POLICY}


def test_without_a_database_it_is_made_for_no_office_and_said(broker_shell: Shell) -> None:
    # When the topology is applied before anything else is there,
    output = said(broker_shell, "topology", "apply")
    # Then that is said, no database comes of it, and what needs management is to be imported;
    assert "for no office's website: signup's database is not there yet" in output
    assert not list(broker_shell.data_dir.glob("*.db"))
    assert "`stappenplan topology definitions`" in output
    # with the passwords of now: those that it prints otherwise would lock everybody out;
    assert "--passwords" in output
    url = broker_shell.settings["BROKER_URL"]
    assert not reaches(url, "stappenplan.website.0042")
    # an office that is named has its exchange at once.
    assert "office 0042" in said(broker_shell, "topology", "apply", "--office", "0042")
    assert reaches(url, "stappenplan.website.0042")
    assert not reaches(url, "stappenplan.website.0042", "collection.requested.v1")


def test_an_office_that_is_added_has_its_exchange_and_binding(broker_shell: Shell) -> None:
    # Given offices, When they are added on the command line, Then their websites can publish,
    url = broker_shell.settings["BROKER_URL"]
    output = said(broker_shell, "office", "add", "0042", *OFFICE)
    assert "its website publishes to stappenplan.website.0042" in output
    assert "`stappenplan topology definitions --office 0042`" in output
    assert reaches(url, "stappenplan.website.0042")
    # and those in the database have all of it made again with the topology.
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.channel().exchange_delete("stappenplan.website.0042")
    connection.close()
    assert "office 0042" in said(broker_shell, "topology", "apply")
    assert reaches(url, "stappenplan.website.0042")


def test_users_permissions_and_limits_are_made_through_the_management_interface(
    managed: Shell, rabbitmq: RabbitMQ
) -> None:
    # Given the topology, applied with the management interface,
    passwords = told_passwords(said(managed, "topology", "apply"))
    assert passwords.keys() == {*service_names(), KING.name}
    # When an office is added,
    new = told_passwords(said(managed, "office", "add", "0042", *OFFICE))
    # Then its website has a user with the password that is told this once,
    assert new.keys() == {"website-0042"}
    website = address(managed, "website-0042", new["website-0042"])
    # who publishes to its own exchange and to no other,
    assert reaches(website, "stappenplan.website.0042")
    assert not reaches(website, EXCHANGE)
    assert not reaches(website, "stappenplan.king-billing", "collection.result.v1")
    # and has as much open at once as a website needs;
    (limits,) = rabbitmq.management.call("GET", "/user-limits/website-0042")
    assert limits["value"] == OUTSIDE_LIMITS
    # the queues that outsiders fill have a limit by policy,
    policy = rabbitmq.management.call("GET", f"/policies/{vhost(managed)}/{LIMITS_POLICY}")
    assert policy["definition"] == {
        "max-length": MAX_LENGTH,
        "max-length-bytes": MAX_QUEUE_BYTES,
        "overflow": "reject-publish",
    }
    wait_until(lambda: limited_queues(managed, rabbitmq) == {"signup", "billing"}, "limited", 20)
    # and whoever was there keeps their password.
    again = said(managed, "topology", "apply")
    assert told_passwords(again) == {}
    assert reaches(website, "stappenplan.website.0042")


def test_who_has_a_user_already_keeps_password_and_tags(managed: Shell, rabbitmq: RabbitMQ) -> None:
    # Given a user whose password the broker hashes in another way, and who may watch it too,
    hashed = b64encode(b"salt" + sha512(b"saltof-old").digest()).decode()
    user = {"password_hash": hashed, "hashing_algorithm": SHA512, "tags": "monitoring"}
    rabbitmq.management.call("PUT", "/users/website-0042", user)
    # When the topology is applied,
    said(managed, "topology", "apply", "--office", "0042")
    # Then they still come in as they did, and may still watch it.
    assert reaches(address(managed, "website-0042", "of-old"), "stappenplan.website.0042")
    kept = rabbitmq.management.call("GET", "/users/website-0042")
    assert (kept["hashing_algorithm"], kept["tags"]) == (SHA512, ["monitoring"])


def test_new_passwords_go_to_the_file_that_is_named(managed: Shell, tmp_path: Path) -> None:
    # Given a file with the password of one user,
    file = tmp_path / "passwords.json"
    file.write_text(json.dumps({"website-0042": "of-old"}))
    words = ("--office", "0042", "--office", "0077", "--passwords", str(file))
    # When the topology is applied with it, Then nothing is told, the file has them all,
    output = said(managed, "topology", "apply", *words)
    kept = json.loads(file.read_text())
    assert kept.keys() >= USERS
    assert not any(password in output for password in kept.values())
    assert file.stat().st_mode & 0o777 == 0o600
    # and they are those that open the broker.
    assert kept["website-0042"] == "of-old"
    for office in ("0042", "0077"):
        url = address(managed, f"website-{office}", kept[f"website-{office}"])
        assert reaches(url, f"stappenplan.website.{office}")


def test_an_office_that_lacks_its_exchange_is_named_by_the_doctor(broker_shell: Shell) -> None:
    # Given a broker that is set up, and an office that was entered elsewhere,
    said(broker_shell, "topology", "apply")
    address_of_broker = broker_shell.settings.pop("BROKER_URL")
    said(broker_shell, "office", "add", "0077", *OFFICE)
    broker_shell.settings["BROKER_URL"] = address_of_broker
    # When the doctor looks, Then it names that office and what to do, and the bindings are there;
    found = findings(broker_shell)
    assert not found["websites"]["ok"]
    assert "office 0077" in found["websites"]["finding"]
    assert "`stappenplan topology apply --office 0077`" in found["websites"]["advice"]
    assert found["bindings"]["ok"]
    # it says, too, that anybody is believed.
    assert "strict is off" in found["publishers"]["finding"]
    # Once its exchange is there, it is named no more.
    said(broker_shell, "topology", "apply")
    assert "websites" not in findings(broker_shell)


def findings(shell: Shell) -> dict[str, dict[str, Any]]:
    return {row["check"]: row for row in json.loads(shell("doctor", "--json").stdout)}


def test_whoever_may_not_declare_is_told_what_to_do(managed: Shell) -> None:
    # Given somebody who adds an office as a service's user, as in that service's container,
    passwords = told_passwords(said(managed, "topology", "apply"))
    del managed.settings["MANAGEMENT_URL"]
    as_operator = managed.settings["BROKER_URL"]
    managed.settings["BROKER_URL"] = address(managed, "signup", passwords["signup"])
    # When they do, Then the office is there, and they are told what its website still lacks.
    answer = managed("office", "add", "0042", *OFFICE)
    assert answer.returncode == 1
    assert "office 0042 is added" in answer.stdout
    assert "`stappenplan topology apply --office 0042`" in answer.stderr
    assert passwords["signup"] not in answer.stderr
    # Where the administrator has made it already, nothing is lacking.
    managed.settings["BROKER_URL"] = as_operator
    said(managed, "topology", "apply", "--office", "0042")
    managed.settings["BROKER_URL"] = address(managed, "signup", passwords["signup"])
    said(managed, "office", "add", "0042", *OFFICE)


@pytest.mark.parametrize("url", ["memory://", "amqp://shared:secret@127.0.0.1:1/"])
@pytest.mark.parametrize("words", [("run",), ("doctor",), ("demo",), ("topology", "apply")])
def test_one_user_for_all_cannot_be_vouched_for_each(
    shell: Shell, words: tuple[str, ...], url: str
) -> None:
    # Given that the broker is to vouch for every speaker, and one user for all,
    shell.settings.update(STRICT_PUBLISHERS="true", BROKER_URL=url)
    # When anything is run, Then it ends at once with a sentence that says what to set.
    answer = shell(*words)
    assert answer.returncode == 2
    assert answer.stderr.startswith("STAPPENPLAN_STRICT_PUBLISHERS: ")
    assert "{service}" in answer.stderr
    assert "STAPPENPLAN_STRICT_PUBLISHERS=false" in answer.stderr
    assert "secret" not in answer.stderr
    assert "Traceback" not in answer.stderr
