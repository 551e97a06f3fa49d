"""A connection that rested for long may lead nowhere: whoever comes next does not notice."""

import psycopg
import pytest
from sqlalchemy.engine import make_url

from shared.persistence import postgres
from shared.processing.store.tables import DONE
from tests.integration.processing.conftest import on_postgresql
from tests.integration.processing.tally import Replica, release

pytestmark = on_postgresql


def cut_all(url: str) -> None:
    """What a firewall, a pooler or a restart does to connections that rest."""
    address = make_url(url).set(drivername="postgresql")
    outside = address.set(database="postgres").render_as_string(hide_password=False)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(outside, autocommit=True) as connection:
        connection.execute(cut, [address.database])


def test_an_event_after_a_rest_in_which_connections_died_is_taken(
    replica: Replica, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a service that has worked, and whose connections died while it rested,
    replica.take(release("bakkerij"))
    cut_all(url)
    # When an event comes after what counts as a long rest,
    monkeypatch.setattr(postgres, "REST_SECONDS", 0.0)
    replica.take(release("kapper"))
    # Then it is taken, without a fault that anybody sees.
    assert [row.status for row in replica.inbox().values()] == [DONE, DONE]
