"""Which policy holds for a queue, and who has the last word on it."""

from typing import Any

import pytest

from infra.operations.doctor import policy_check
from infra.operations.doctor.policies_in_force import merge, policy_in_force
from infra.operations.doctor.policy_check import policies
from shared.host.settings import Settings
from shared.messaging.topology.management import Management

QUEUE = {"name": "signup", "type": "quorum", "arguments": {"x-overflow": "reject-publish"}}


def policy(name: str, priority: int = 0, **more: Any) -> dict[str, Any]:
    plain = {"pattern": ".*", "apply-to": "all", "definition": {"max-length": 5}}
    return {"name": name, "priority": priority, **plain, **more}


@pytest.mark.parametrize(
    "other",
    [
        policy("other", 9, pattern="^billing$"),
        policy("other", 9, pattern=r"^signup\.dead\z"),
        policy("other", 9, pattern="(*UTF8)"),
        policy("other", 9, **{"apply-to": "exchanges"}),
        policy("other", 9, **{"apply-to": "classic_queues"}),
        policy("other", 9, definition={"ha-mode": "all", "max-length": 1}),
    ],
)
def test_a_policy_holds_for_what_it_matches_alone(other: dict[str, Any]) -> None:
    assert policy_in_force([other], QUEUE, None) is None


def test_the_one_with_the_highest_priority_holds_alone() -> None:
    low, high, same = policy("low", 1), policy("high", 2), policy("same", 2)
    assert policy_in_force([low, high], QUEUE, None) == high
    # Between two of the same, the broker chooses.
    assert policy_in_force([high, low, same], QUEUE, "same") == same


def test_an_operators_number_counts_where_it_is_the_smaller() -> None:
    ours = policy("ours", definition={"max-length": 10, "overflow": "reject-publish"})
    assert merge(ours, policy("cap"))["max-length"] == 5
    assert merge(ours, policy("cap", definition={"max-length": 99}))["max-length"] == 10
    assert merge(None, None) == {}


def test_the_broker_has_the_last_word_on_which_policy_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a policy whose pattern cannot be read here, and a broker that is late to tell of it,
    held = {"policy": "odd", "effective_policy_definition": {"message-ttl": 7}}
    rows = {
        "policies": [policy("odd", pattern="(*UTF8).", definition={"message-ttl": 7})],
        "queues": [QUEUE | held],
    }
    monkeypatch.setattr(Management, "rows", lambda _self, kind: rows.get(kind, []))
    monkeypatch.setattr(policy_check, "STATISTICS_SECONDS", 0)
    settings = Settings(broker_url="amqp://127.0.0.1:1/", management_url="http://127.0.0.1:1")
    # When the doctor looks, Then it takes the broker's word for it.
    finding = [*policies(settings)][-1]
    assert "the policy odd: message-ttl 7" in finding.finding
    assert not finding.ok
