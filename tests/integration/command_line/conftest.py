"""Shells with nothing set, and with a broker."""

from pathlib import Path

import pytest

from tests.integration.command_line.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Nothing set: the embedded default."""
    return Shell(tmp_path, {})


@pytest.fixture
def broker_shell(tmp_path: Path, vhost: str) -> Shell:
    """With a RabbitMQ, in which nothing is declared yet."""
    return Shell(tmp_path, {"BROKER_URL": vhost})
