"""Addresses with passwords in them: read in one way, or refused without a piece of them."""

import pytest

from shared.base.addresses import NotAnAddress, read_address, split_addresses
from shared.messaging.addresses import read_broker_url
from shared.persistence.addresses import check_database_url

UNESCAPED = ("pi@ece", "pi/ece", "pi?ece", "pi#ece", "pi[ece", "pi%zece", "pi ece", "12/3@ece")
"""Passwords with a sign that means something in an address, as people paste them."""


@pytest.mark.parametrize("password", UNESCAPED)
def test_a_password_with_a_sign_of_its_own_is_refused_and_never_repeated(password: str) -> None:
    # Given an address whose password was pasted as it is, When it is read as a broker's,
    with pytest.raises(NotAnAddress) as broker:
        read_broker_url(f"amqp://user:{password}@host:5672/vhost")
    # or as a database's,
    with pytest.raises(NotAnAddress) as database:
        check_database_url(f"postgresql+psycopg://user:{password}@host/stappenplan_{{service}}")
    # Then the sentence says how to write the sign, and holds no piece of the password.
    for refusal in (broker, database):
        assert "@ as %40" in str(refusal.value)
        assert "ece" not in str(refusal.value)
        assert "12" not in str(refusal.value)


def test_a_comma_and_a_colon_in_a_password_are_the_passwords() -> None:
    (address,) = read_broker_url("amqp://user:a,b:c@host/")
    assert (address.user, address.password, address.host) == ("user", "a,b:c", "host")


def test_a_list_is_split_only_where_another_address_begins() -> None:
    listed = "amqp://u:a,b@one:5672/v , amqps://u:a,b@two/v,AMQP://u:p@[::1]:5673/v"
    assert [address.origin for address in read_broker_url(listed)] == [
        "amqp://one:5672",
        "amqps://two",
        "amqp://[::1]:5673",
    ]
    assert len(split_addresses(listed)) == 3


def test_escapes_mean_what_they_stand_for() -> None:
    address = read_address("smtp://a%40b:c%2Fd%25@Host:25", ("smtp",), "")
    assert (address.user, address.password, address.host) == ("a@b", "c/d%", "host")
    assert "c/d" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rabbit",
        "http://user:piece@host/",
        "amqp://",
        "amqp://user:piece@/vhost",
        "amqp://piece@host/",
        "amqp://user:piece@host:0/",
        "amqp://user:piece@host:70000/",
        "amqp://user:piece@host:port/",
        "amqp://user:piece@one:5672,two:5672/vhost",
        "amqp://user:piece@one,two/vhost",
        "amqp://user:piece@host/vhost,",
        "amqp://user:piece@host/a/b",
        "amqp://user:piece@host,memory://",
        "memory://piece",
        "user:piece@host",
    ],
)
def test_what_is_no_address_of_a_broker_is_refused_in_words(url: str) -> None:
    with pytest.raises(NotAnAddress, match=r"amqp://user:password@host:5672/vhost") as refusal:
        read_broker_url(url)
    assert "piece" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user:piece@host/x",
        "postgresql://user:piece@host/x",
        "postgresql+psycopg://user:piece@/x",
        "postgresql+psycopg://user:piece@host/",
        "postgresql+psycopg://user:piece@host/x/y",
        "postgresql+psycopg://user:piece@one:5432,two:5432/x",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///piece.db?mode=ro",
        "mysql://user:piece@host/x",
    ],
)
def test_what_is_no_address_of_a_database_is_refused_in_words(url: str) -> None:
    with pytest.raises(NotAnAddress, match=r"postgresql\+psycopg://user:password@host") as refusal:
        check_database_url(url)
    assert "piece" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://user:p%40ss@host:5432/stappenplan_{service}?sslmode=verify-full",
        "postgresql+psycopg:///stappenplan_{service}?host=/var/run/postgresql",
        "postgresql+psycopg://user:secret@/x?host=one:5432&host=two:5432",
        "postgresql+psycopg://user:secret@[::1]:5432/x",
        "postgresql+psycopg://user@host/x",
        "sqlite:///{data_dir}/{service}.db",
        "sqlite:////srv/a b#[1]/{service}.db",
    ],
)
def test_whatever_the_database_understands_is_taken_as_it_is(url: str) -> None:
    assert check_database_url(f" {url}\n") == url
