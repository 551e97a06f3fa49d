"""What is needed to run it elsewhere: the containers, the settings' file, what stays at home."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "infra" / "docker" / "compose.yaml"


def containers() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_a_broker_in_a_new_container_finds_its_queues_again() -> None:
    # Given that RabbitMQ keeps its data under its node's name, which holds the container's,
    broker = containers()["rabbitmq"]
    # When the container is made anew, Then its name is what it was.
    assert broker["hostname"] == "rabbitmq"
