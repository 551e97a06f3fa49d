"""What stands in the settings is read whichever way it is written, or refused."""

from pathlib import Path
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
        ("http_host", "[::1]", "::1"),
        ("http_host", " 127.0.0.1", "127.0.0.1"),
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
        ("broker_url", "amqp://user:pi%00ece@host"),
        ("database_url", "postgresql+psycopg://user:piece%00@host/stappenplan_{service}"),
        ("http_host", ""),
        ("http_host", "127.0.0.1:80"),
        ("http_host", "a" * 64),
        ("http_host", "::piece"),
        ("database_pool", 3),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_repeated(name: str, written: Any) -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(**{name: written})
    assert "piece" not in str(refusal.value)


def test_an_address_with_colons_stands_in_brackets_where_people_open_it() -> None:
    # Given a process that listens to IPv6 alone, When it says where it is,
    settings = Settings(http_host="::1", http_port=8080)
    # Then that is an address which browsers and mail programs can open.
    assert settings.base_url == "http://[::1]:8080"


def test_a_folder_in_which_nothing_can_be_kept_is_told_at_once(tmp_path: Path) -> None:
    # Given a file where the data folder should be,
    file = tmp_path / "data"
    file.touch()
    # When the settings are read, Then they are refused, as is a name that no folder can have.
    for folder in (file, file / "below", tmp_path / ("a" * 300)):
        with pytest.raises(ValidationError, match="name a folder"):
            Settings(data_dir=folder)
    assert Settings(data_dir=tmp_path / "not" / "yet").data_dir == tmp_path / "not" / "yet"


def test_people_are_told_where_the_broker_is_and_not_who_they_are() -> None:
    settings = Settings(broker_url="amqp://anna:piece@one:5672/v,amqp://anna:piece@two/v")
    assert settings.broker_name == "amqp://one:5672/v, amqp://two/v"
    assert "piece" not in repr(settings)
