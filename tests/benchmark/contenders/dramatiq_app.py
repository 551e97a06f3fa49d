"""Dramatiq: threads in one process, confirms on, acknowledged after the actor."""

import signal
import sys
import threading

import dramatiq
import pika
import psycopg
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from tests.benchmark.contenders.same_work import (
    BROKER_URL,
    CONCURRENCY,
    DATABASE_URL,
    EXCHANGE,
    STRUCTURED,
    handle,
)

broker = RabbitmqBroker(url=BROKER_URL, confirm_delivery=True)
dramatiq.set_broker(broker)
local = threading.local()


def lines() -> tuple[psycopg.Connection, pika.adapters.blocking_connection.BlockingChannel]:
    """Each thread has a connection to the database, and a channel that confirms."""
    if not hasattr(local, "database"):
        local.database = psycopg.connect(DATABASE_URL, autocommit=True)
        parameters = pika.URLParameters(BROKER_URL)
        parameters.heartbeat = 0
        local.channel = pika.BlockingConnection(parameters).channel()
        local.channel.confirm_delivery()
    return local.database, local.channel


@dramatiq.actor(queue_name="dramatiq_registration", max_retries=0)
def register(body: str) -> None:
    database, channel = lines()
    with database.transaction(), database.cursor() as cursor:
        said = handle(cursor, body.encode())
    for event in said:
        properties = pika.BasicProperties(
            content_type=STRUCTURED, message_id=event.id, delivery_mode=2, type=event.type
        )
        channel.basic_publish(EXCHANGE, event.type, event.body, properties, mandatory=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        for line in sys.stdin:
            register.send(line.rstrip("\n"))
    else:
        worker = dramatiq.Worker(broker, worker_threads=CONCURRENCY)
        worker.start()
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
        worker.stop()
