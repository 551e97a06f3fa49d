"""What stands in the settings is read whichever way it is written, or refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.host.settings import Settings


@pytest.mark.parametrize(
    ("name", "written", "read"),
    [
        ("broker_url", "MEMORY://", "memory://"),
        ("broker_url", "AMQPS://u:Pw@Host/V\n", "amqps://u:Pw@Host/V"),
        ("broker_url", "amqp://u:p@a/ , amqp://u:p@b/", "amqp://u:p@a/,amqp://u:p@b/"),
        ("public_url", "HTTPS://Stappen.Example:443", "https://stappen.example"),
        ("public_url", "http://stappen.example:8080/", "http://stappen.example:8080/"),
        ("public_url", "http://[::1]:80", "http://[::1]"),
        ("package_url", "https://imuis.example/login?a=b#c", "https://imuis.example/login?a=b#c"),
        ("log_level", "INFO", "info"),
        ("mail", "File", "file"),
        ("mandate_scheme", "b2b", "B2B"),
    ],
)
def test_what_is_written_otherwise_means_the_same(name: str, written: str, read: str) -> None:
    settings = Settings(**{name: written})  # type: ignore[arg-type]
    assert getattr(settings, name) == read


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("public_url", "stappen.example"),
        ("public_url", "https://user:piece@stappen.example"),
        ("public_url", "https://stappen.example/?piece"),
        ("public_url", "https://stappen.example:piece"),
        ("package_url", "https://"),
        ("package_url", "javascript://piece"),
        ("management_url", "http://user:piece/x@host"),
        ("management_url", "amqp://user:piece@host"),
        ("management_url", "http://user:piece@"),
        ("database_pool", 3),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_repeated(name: str, written: Any) -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(**{name: written})
    assert "piece" not in str(refusal.value)


def test_people_are_told_where_the_broker_is_and_not_who_they_are() -> None:
    settings = Settings(broker_url="amqp://anna:piece@one:5672/v,amqp://anna:piece@two/v")
    assert settings.broker_name == "amqp://one:5672/v, amqp://two/v"
    assert "piece" not in repr(settings)
