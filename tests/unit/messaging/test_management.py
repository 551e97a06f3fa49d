"""RabbitMQ's management interface: where it is asked."""

import httpx
import pytest

from shared.messaging.topology.management import Management, ManagementUnavailable


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://admin:secret@broker.example", "http://broker.example:15672/api/users"),
        ("https://admin:secret@broker.example:443", "https://broker.example:443/api/users"),
        ("http://admin:secret@[::1]:15672", "http://[::1]:15672/api/users"),
    ],
)
def test_it_is_asked_where_it_is(url: str, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[str] = []

    def refuse(_method: str, address: str, **_rest: object) -> httpx.Response:
        asked_for.append(address)
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx, "request", refuse)
    with pytest.raises(ManagementUnavailable) as refusal:
        Management(url, "amqp://{service}:secret@broker.example/").missing(["signup"])
    assert asked_for == [asked]
    assert "secret" not in str(refusal.value)
