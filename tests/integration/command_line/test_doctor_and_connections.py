"""What the doctor says of the connections that all processes may open together."""

import pytest

from infra.operations.doctor.connection_check import Server, connections
from shared.host.settings import Settings
from tests.servers.postgres import MakeDatabase

FOUR = ("activation", "billing", "registration", "signup")


def test_a_real_server_is_asked_how_many_it_has(make_database: MakeDatabase) -> None:
    # Given four services on one server, each with the pool that it has by default,
    settings = Settings(database_url=make_database("signup"))
    # When the doctor looks, Then it adds up what a process for each may open: 200, less three
    # that the server keeps for its administrator.
    (finding,) = connections(settings)
    assert finding.ok
    assert finding.finding.startswith("4 × 16 = 64 connections of 197: room for 3 processes")
    # and with a pool that asks for more than there are, it says what to set.
    (finding,) = connections(settings.model_copy(update={"database_pool": 50}))
    assert not finding.ok
    assert "STAPPENPLAN_DATABASE_POOL=49" in finding.advice


def test_files_have_no_limit() -> None:
    assert list(connections(Settings())) == []


@pytest.mark.parametrize(
    ("room", "taken", "ok", "warning"),
    [(97, 10, True, False), (97, 90, True, True), (64, 0, True, False), (63, 0, False, False)],
)
def test_the_sum_decides(room: int, taken: int, ok: bool, warning: bool) -> None:
    finding = Server(room, taken, FOUR).judge(16)
    assert (finding.ok, finding.warning) == (ok, warning)


def test_nobody_is_told_to_take_fewer_than_a_process_needs() -> None:
    finding = Server(12, 0, FOUR).judge(16)
    assert finding.advice == "raise max_connections of PostgreSQL"


def test_by_a_pooler_the_sum_is_the_poolers_to_allow() -> None:
    finding = Server(97, 90, FOUR, pooled=True).judge(64)
    assert (finding.ok, finding.warning) == (True, False)
    assert "may open 256 to it, which its max_client_conn must allow" in finding.finding
