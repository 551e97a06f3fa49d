"""The servers that the other tests stand on."""

import pika  # noqa: TID251  A foreign client, to see the broker as others do.
import psycopg
import pytest

from tests.servers.postgres import MakeDatabase
from tests.servers.rabbitmq import RabbitMQ


def open_channel(url: str) -> "pika.adapters.blocking_connection.BlockingChannel":
    return pika.BlockingConnection(pika.URLParameters(url)).channel()


def plain(url: str) -> str:
    return url.replace("postgresql+psycopg", "postgresql")


def test_a_broker_gives_back_what_was_published(vhost: str) -> None:
    # Given a quorum queue in a fresh virtual host
    channel = open_channel(vhost)
    channel.queue_declare("signup", durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()
    # When a message is published and confirmed
    channel.basic_publish("", "signup", b"hello", mandatory=True)
    # Then it comes out again
    _, _, body = channel.basic_get("signup", auto_ack=True)
    assert body == b"hello"
    channel.connection.close()


def test_two_virtual_hosts_do_not_see_each_other(rabbitmq: RabbitMQ, vhost: str) -> None:
    # Given a queue in one virtual host
    channel = open_channel(vhost)
    channel.queue_declare("signup", durable=True)
    # When somebody looks for it in another one
    other = open_channel(rabbitmq.url)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refusal:
        other.queue_declare("signup", passive=True)
    # Then it is not there
    assert refusal.value.reply_code == 404
    channel.connection.close()
    other.connection.close()


def test_rabbitmqctl_speaks_to_the_same_broker(rabbitmq: RabbitMQ, vhost: str) -> None:
    # When the broker is asked for its virtual hosts
    listing = rabbitmq.ctl("list_vhosts", "name")
    # Then the one of this test is among them
    assert vhost.rsplit("/", 1)[1] in listing


def test_a_fresh_database_is_empty_and_answers(make_database: MakeDatabase) -> None:
    # Given a fresh database
    url = make_database("billing")
    # When its tables are counted
    with psycopg.connect(plain(url)) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone()
    # Then there are none
    assert row == (0,)


def test_two_databases_do_not_see_each_other(make_database: MakeDatabase) -> None:
    # Given two databases of the same name
    first, second = make_database("billing"), make_database("billing")
    # When a table is made in one
    with psycopg.connect(plain(first)) as connection:
        connection.execute("CREATE TABLE orders ()")
    # Then the other has none
    with psycopg.connect(plain(second)) as connection:
        assert connection.execute("SELECT to_regclass('orders')").fetchone() == (None,)


def test_a_schema_is_prepared_once_and_copied_after_that(make_database: MakeDatabase) -> None:
    # Given a way to bring an empty database to its schema
    prepared: list[str] = []

    def prepare(url: str) -> None:
        prepared.append(url)
        with psycopg.connect(plain(url)) as connection:
            connection.execute("CREATE TABLE orders ()")

    # When two databases are made with it
    urls = [make_database("billing", prepare), make_database("billing", prepare)]
    # Then both have the schema, and it was made once
    for url in urls:
        with psycopg.connect(plain(url)) as connection:
            assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
    assert len(prepared) == 1
