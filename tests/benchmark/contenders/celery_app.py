"""Celery, prefork: acknowledged late, confirms on, no results kept."""

import sys

import psycopg
from celery import Celery
from celery.signals import worker_process_init
from kombu import Exchange, Queue  # type: ignore[attr-defined]

from tests.benchmark.contenders.same_work import (
    BROKER_URL,
    CONCURRENCY,
    DATABASE_URL,
    EXCHANGE,
    STRUCTURED,
    handle,
)

CELERY_QUEUE = "celery-registration"

app = Celery("bench", broker=BROKER_URL)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=10,
    worker_detect_quorum_queues=True,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    task_default_queue=CELERY_QUEUE,
    task_queues=[
        Queue(CELERY_QUEUE, durable=True, queue_arguments={"x-queue-type": "quorum"}),
    ],
)
exchange = Exchange(EXCHANGE, type="topic", durable=True, no_declare=True)
connections: list[psycopg.Connection] = []
"""Each worker process has one."""


@worker_process_init.connect
def connect(**_: object) -> None:
    connections.append(psycopg.connect(DATABASE_URL, autocommit=True))


@app.task(name="register")
def register(body: str) -> None:
    (connection,) = connections
    with connection.transaction(), connection.cursor() as cursor:
        said = handle(cursor, body.encode())
    with app.producer_pool.acquire(block=True) as producer:
        for event in said:
            producer.publish(
                event.body,
                exchange=exchange,
                routing_key=event.type,
                content_type=STRUCTURED,
                content_encoding="binary",
                message_id=event.id,
                delivery_mode=2,
                mandatory=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        with app.producer_pool.acquire(block=True) as producer:
            for line in sys.stdin:
                register.apply_async([line.rstrip("\n")], producer=producer)
    else:
        app.worker_main(
            ["worker", "--loglevel=ERROR", "--pool=prefork", f"--concurrency={CONCURRENCY}",
             "--without-gossip", "--without-mingle", "--without-heartbeat"]
        )  # fmt: skip
