"""The topology as data, and the file that RabbitMQ imports."""

import base64
import hashlib
import json
import re
import subprocess
import sys

import pytest

from shared.messaging.bus import EXCHANGE
from shared.messaging.topology import Listener, Topology, definitions, password_hash

TOPOLOGY = Topology(
    (
        Listener("signup", hears=("signup.submitted.v1",), says=("signup.accepted.v1",)),
        Listener("activation", hears=("signup.accepted.v1",), says=()),
        Listener("king-billing", hears=(), says=("collection.result.v1",), outside=True),
    ),
    website_says=("signup.submitted.v1",),
)


EXCHANGES = {
    "website-0042": "stappenplan.website.0042",
    "king-billing": "stappenplan.king-billing",
}
"""Where outside speakers speak; everybody else does on the services' exchange."""


def permission(kind: str, user: str) -> dict[str, str]:
    document = definitions(TOPOLOGY, ["0042"]).document
    rows = [row for row in document[kind] if row["user"] == user]
    if kind == "topic_permissions":
        rows = [row for row in rows if row["exchange"] == EXCHANGES.get(user, EXCHANGE)]
    (row,) = rows
    return dict(row)


def matches(rule: str, name: str) -> bool:
    r"""Whether RabbitMQ takes the name to match: its `\z` is Python's `\Z`."""
    return re.search(rule.replace(r"\z", r"\Z"), name) is not None


def test_the_subscribers_of_an_event_are_those_who_hear_it() -> None:
    # Given a topology; when it is asked who hears an event; then it names their queues
    assert TOPOLOGY.subscribers("signup.accepted.v1") == ("activation",)
    assert TOPOLOGY.subscribers("nobody.hears.v1") == ()


def test_every_queue_is_a_quorum_queue_with_an_explicit_limit() -> None:
    # When the queues are listed
    queues = dict(TOPOLOGY.queues())
    # Then each service has its own and one for its dead letters, none left to a broker's default
    assert set(queues) == {
        f"{name}{kind}"
        for name in ("signup", "activation", "king-billing")
        for kind in ("", ".dead")
    }
    assert all(arguments["x-queue-type"] == "quorum" for arguments in queues.values())
    assert all(arguments["x-delivery-limit"] > 0 for arguments in queues.values())


def test_a_dead_letter_goes_to_one_queue_and_never_back_through_the_exchange() -> None:
    # When the arguments of a service's queue are read
    arguments = dict(TOPOLOGY.queues())["signup"]
    # Then its dead letters go by the default exchange, at least once, which asks for the rest
    assert arguments["x-dead-letter-exchange"] == ""
    assert arguments["x-dead-letter-routing-key"] == "signup.dead"
    assert arguments["x-dead-letter-strategy"] == "at-least-once"
    assert arguments["x-overflow"] == "reject-publish"
    assert arguments["x-max-length"] > 0


def test_a_dead_letter_queue_is_made_before_the_queue_that_feeds_it() -> None:
    # When the queues are listed in the order of making
    order = [name for name, _ in TOPOLOGY.queues()]
    # Then none can lose a dead letter for want of a place to put it
    assert order.index("signup.dead") < order.index("signup")


def test_the_exchange_has_no_alternate_that_would_hide_what_nobody_hears() -> None:
    # When the definitions are made
    exchanges = definitions(TOPOLOGY, ["0042"]).document["exchanges"]
    # Then what nobody hears comes back to its publisher, wherever it was published
    assert {row["name"] for row in exchanges} == {EXCHANGE, *EXCHANGES.values()}
    for exchange in exchanges:
        assert exchange["arguments"] == {}
        assert (exchange["type"], exchange["durable"]) == ("topic", True)


@pytest.mark.parametrize("user", ["signup", "activation", "king-billing", "website-0042"])
def test_nobody_but_the_administrator_may_configure(user: str) -> None:
    # When a user's permissions are read; then there is nothing they may declare
    assert permission("permissions", user)["configure"] == r"^\z"


@pytest.mark.parametrize(
    ("user", "may", "may_not"),
    [
        ("signup", "signup.accepted.v1", "signup.submitted.v1"),
        ("king-billing", "collection.result.v1", "signup.accepted.v1"),
        ("website-0042", "signup.submitted.v1", "signup.accepted.v1"),
        ("signup", "signup.accepted.v1", "signupXaccepted.v1"),
        ("signup", "signup.accepted.v1", "signup.accepted.v11"),
    ],
)
def test_each_may_say_exactly_its_own_events(user: str, may: str, may_not: str) -> None:
    # Given the rule by which the broker judges what a user says
    rule = permission("topic_permissions", user)["write"]
    # Then its own events match, and nothing that looks like them
    assert matches(rule, may)
    assert not matches(rule, may_not)


def test_who_says_nothing_may_not_write_at_all() -> None:
    # Given a service that only listens; then no exchange takes anything from it
    rule = permission("permissions", "activation")["write"]
    assert not matches(rule, "stappenplan.events")
    assert not matches(rule, "amq.default")


def test_each_reads_its_own_queue_alone() -> None:
    # Given the rule by which the broker judges what a user reads
    rule = permission("permissions", "signup")["read"]
    # Then it is the service's own queue and its own dead letters
    assert matches(rule, "signup")
    assert matches(rule, "signup.dead")
    assert not matches(rule, "activation")
    assert not matches(rule, "signup-2")
    assert not matches(permission("permissions", "website-0042")["read"], "signup")


def test_passwords_are_in_the_file_only_as_salted_hashes() -> None:
    # When definitions are made with one password given and the others not
    file = definitions(TOPOLOGY, ["0042"], {"signup": "given"})
    # Then each user has a password of its own, and the file has none of them
    assert file.passwords["signup"] == "given"
    assert len(set(file.passwords.values())) == len(TOPOLOGY.with_offices(["0042"]).users())
    text = json.dumps(file.document)
    assert not [password for password in file.passwords.values() if password in text]
    assert not [password for password in file.passwords.values() if password in repr(file)]


def test_a_password_hash_is_what_rabbitmq_computes() -> None:
    # Given a salt; when a password is hashed; then it is as RabbitMQ's documentation describes
    salt = bytes.fromhex("908DC60A")
    assert password_hash("test12", salt) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
    # And without one, it takes a new salt each time
    hashed = base64.b64decode(password_hash("test12"))
    assert hashed[4:] == hashlib.sha256(hashed[:4] + b"test12").digest()
    assert password_hash("test12") != password_hash("test12")


def test_who_asks_only_for_the_data_loads_no_client_of_a_broker() -> None:
    # Given a fresh process; when it imports the topology's face
    program = (
        "import sys, shared.messaging.topology; print({'pika', 'kombu', 'httpx'} & {*sys.modules})"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    # Then neither AMQP nor HTTP came along
    assert output.stdout.strip() == b"set()"
