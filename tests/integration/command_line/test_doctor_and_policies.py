"""What somebody else sets on the broker: ours is kept from it, and the doctor sees what is not."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pika  # noqa: TID251  A foreign client, to say what anybody may.
import pytest

from infra.composition import topology
from infra.operations.doctor import policy_check
from infra.operations.doctor.finding import Finding
from infra.operations.doctor.policy_check import policies
from infra.operations.doctor.rights_check import consumers, rights
from shared.host.settings import Settings
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.topology import Topology
from shared.messaging.topology.declare import apply, depth
from shared.messaging.topology.management import Management
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ

Set = Callable[..., None]
MOMENT = 100
"""Milliseconds after which the policy of somebody else throws messages away."""


@pytest.fixture
def settings(rabbitmq: RabbitMQ, vhost: str) -> Settings:
    """A broker with every exchange, queue and binding, and no policy yet."""
    broker, management = urlsplit(rabbitmq.url), urlsplit(rabbitmq.management.address)
    login = f"{broker.username}:{broker.password}@{management.netloc}"
    url = urlunsplit(management._replace(netloc=login))
    settings = Settings(broker_url=vhost, management_url=url)
    apply(topology(settings), vhost)
    return settings


@pytest.fixture
def set_policy(rabbitmq: RabbitMQ, vhost: str) -> Set:
    """Sets a policy as somebody would who never heard of us."""

    def put(definition: dict[str, Any], pattern: str = ".*", **more: Any) -> None:
        kind, name = more.pop("kind", "policies"), more.pop("name", "theirs")
        body = {"pattern": pattern, "definition": definition, "apply-to": "all", **more}
        rabbitmq.management.call("PUT", f"/{kind}/{urlsplit(vhost).path[1:]}/{name}", body)

    return put


@pytest.fixture
def channel(vhost: str) -> Iterator[Any]:
    """A stranger's channel, on which each message is confirmed."""
    connection = pika.BlockingConnection(pika.URLParameters(vhost))
    channel = connection.channel()
    channel.confirm_delivery()
    yield channel
    connection.close()


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor does not wait for what the management interface tells late."""
    monkeypatch.setattr(policy_check, "STATISTICS_SECONDS", 0)


def protect(settings: Settings, wanted: Topology | None = None) -> None:
    """Set our policies as `topology apply` does, and make no users."""
    management = Management(settings.management_url, settings.broker_url)
    management.grant(wanted or topology(settings), [], {})


def say(channel: Any, queue: str, count: int) -> int:
    """Publish so many, straight to a queue; how many the broker says it has."""
    taken = 0
    for _ in range(count):
        try:
            channel.basic_publish("", queue, b"{}", mandatory=True)
        except pika.exceptions.NackError:
            continue
        taken += 1
    return taken


def found(settings: Settings, check: str = "policies") -> Finding:
    """What the doctor says of the policies; or of what was declared otherwise."""
    return next(each for each in policies(settings) if each.check == check)


def test_a_policy_that_empties_every_queue_does_not_empty_ours(
    settings: Settings, set_policy: Set, channel: Any, vhost: str
) -> None:
    # Given our policies, and somebody's who throws away whatever waits, in every queue,
    protect(settings)
    set_policy({"message-ttl": MOMENT, "max-length": 5, "overflow": "drop-head"})
    channel.queue_declare("theirs", durable=True, arguments={"x-queue-type": "quorum"})
    # When events wait in our queues,
    taken = {queue: say(channel, queue, 10) for queue in ("signup", "signup.dead", "theirs")}
    wait_until(lambda: depth("theirs", vhost) == 0, "what is theirs is thrown away", 20)
    # Then they are all there.
    assert taken == {"signup": 10, "signup.dead": 10, "theirs": 10}
    assert (depth("signup", vhost), depth("signup.dead", vhost)) == (10, 10)


def test_the_broker_refuses_what_an_operators_cap_leaves_no_room_for(
    settings: Settings, set_policy: Set, channel: Any, vhost: str
) -> None:
    # Given our policies, and an operator's cap, which none can keep away,
    protect(settings)
    set_policy({"max-length": 5}, kind="operator-policies", **{"apply-to": "queues"})
    wait_until(lambda: say(channel, "billing.dead", 1) == 0, "the cap holds", 20)
    # When more come, even to a queue of dead letters, Then none that was taken is lost.
    kept = depth("billing.dead", vhost)
    assert say(channel, "billing.dead", 20) == 0
    assert depth("billing.dead", vhost) == kept


LOSING: list[tuple[dict[str, Any], str]] = [
    ({"message-ttl": 60_000}, "message-ttl 60000"),
    ({"expires": 60_000}, "expires 60000"),
    ({"max-length": 10, "overflow": "drop-head"}, "max-length 10"),
    ({"max-length": 10}, "max-length 10"),  # What is too much of the dead is dropped by default.
    ({"max-length-bytes": 1000, "overflow": "drop-head"}, "max-length-bytes 1000"),
    ({"overflow": "drop-head"}, "max-length 1000000"),
    ({"delivery-limit": 2}, "delivery-limit 2"),
    ({"dead-letter-exchange": "amq.fanout"}, "dead-letter-exchange 'amq.fanout'"),
    ({"alternate-exchange": "amq.fanout"}, "alternate-exchange 'amq.fanout'"),
]


@pytest.mark.usefixtures("in_a_hurry")
def test_the_doctor_fails_on_whatever_can_lose_a_message(
    settings: Settings, set_policy: Set
) -> None:
    for definition, named in LOSING:
        # Given a policy of somebody else's for everything, and none of ours,
        set_policy(definition)
        # When the doctor looks at once, Then it names what is set, by whom, and what to do.
        finding = found(settings)
        assert not finding.ok, definition
        assert f"the policy theirs: {named}" in finding.finding
        assert "topology apply" in finding.advice
    # Once ours are there and the broker tells so of each queue, all is well.
    protect(settings)
    well = Finding("policies", True, "nothing that is set can lose a message")
    wait_until(lambda: found(settings) == well, "the broker tells of our policies", 30)


HARMLESS: list[dict[str, Any]] = [
    {"max-length": 10, "overflow": "reject-publish"},
    {"max-in-memory-length": 10},
    {"delivery-limit": 2_000_000},
    {"queue-mode": "lazy", "message-ttl": 1},  # No quorum queue takes such a policy.
]


@pytest.mark.usefixtures("in_a_hurry")
def test_the_doctor_is_content_with_what_loses_nothing(settings: Settings, set_policy: Set) -> None:
    for definition in HARMLESS:
        set_policy(definition)
        finding = found(settings)
        assert finding.ok, finding.finding
        # It warns as long as ours are not there.
        assert "nothing keeps others' policies from ours" in finding.finding
    protect(settings)
    assert not found(settings).warning


@pytest.mark.usefixtures("in_a_hurry")
def test_what_stands_above_ours_and_beside_them_is_seen(
    settings: Settings, set_policy: Set
) -> None:
    # Given our policies, one of a still higher priority, and an operator's,
    protect(settings)
    set_policy({"message-ttl": 9}, pattern="^activation$", priority=2_000_000)
    set_policy({"expires": 7000}, pattern="billing", kind="operator-policies", name="cap")
    # When the doctor looks, Then it names both.
    finding = found(settings)
    assert not finding.ok
    assert "the policy theirs: message-ttl 9" in finding.finding
    assert "with the operator policy cap: expires 7000" in finding.finding


@pytest.mark.usefixtures("in_a_hurry")
def test_a_queue_that_somebody_declared_otherwise_is_named(
    settings: Settings, channel: Any
) -> None:
    # Given a queue and an exchange that were deleted and made again by hand,
    channel.queue_delete("activation")
    channel.queue_declare("activation", durable=True, arguments={"x-message-ttl": 1000})
    channel.exchange_delete("stappenplan.king-billing")
    aside = {"alternate-exchange": "amq.fanout"}
    channel.exchange_declare("stappenplan.king-billing", "topic", durable=True, arguments=aside)
    # When the doctor looks, Then it says in what they differ.
    queue, exchange = (each for each in policies(settings) if each.check == "declared")
    assert not queue.ok
    assert "type is 'classic' and not 'quorum'" in queue.finding
    assert "x-message-ttl is 1000 and not unset" in queue.finding
    assert "alternate-exchange is amq.fanout" in exchange.finding


def test_rights_that_were_taken_away_and_limits_that_are_too_narrow_are_named(
    settings: Settings, rabbitmq: RabbitMQ, vhost: str
) -> None:
    # Given a virtual host in which all is well,
    place, user = urlsplit(vhost).path[1:], urlsplit(vhost).username
    assert [each.ok for each in rights(settings)] == [True]
    # When somebody takes a right away and sets a limit,
    narrow = {"configure": ".*", "write": ".*", "read": "^signup$"}
    rabbitmq.management.call("PUT", f"/permissions/{place}/{user}", narrow)
    rabbitmq.management.call("PUT", f"/vhost-limits/{place}/max-connections", {"value": 2})
    # Then the doctor names both.
    lacking, limits = rights(settings)
    assert f"the user {user} may not read the queue activation" in lacking.finding
    assert "the queue signup;" not in lacking.finding
    assert "max-connections of the virtual host is 2, and 12 are needed" in limits.finding
    assert not lacking.ok
    assert not limits.ok


def test_a_stranger_who_reads_a_services_queue_is_named(
    settings: Settings, channel: Any, vhost: str
) -> None:
    # Given a service that reads its queue, and somebody who reads another's,
    signup = RabbitBus(vhost, queue="signup", name="signup", dead="signup.dead")
    signup.open()
    wait_until(signup.healthy, "it reads its queue", 20)
    channel.basic_consume("billing", lambda *_: None, auto_ack=True)
    # When the doctor looks, Then it names the stranger alone.
    wait_until(lambda: any(consumers(settings)), "the broker tells of the stranger", 30)
    (finding,) = consumers(settings)
    assert not finding.ok
    assert f"billing is read as {urlsplit(vhost).username} from" in finding.finding
    assert "signup" not in finding.finding
    signup.close()


def test_without_the_management_address_it_says_what_it_cannot_see(vhost: str) -> None:
    (finding,) = policies(Settings(broker_url=vhost))
    assert "not looked at" in finding.finding
    assert "STAPPENPLAN_MANAGEMENT_URL" in finding.finding
