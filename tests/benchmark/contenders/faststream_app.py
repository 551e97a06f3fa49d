"""FastStream on RabbitMQ: aio-pika, publisher confirms, acknowledged after the handler."""

import asyncio
from datetime import UTC, datetime

from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage
from psycopg_pool import AsyncConnectionPool

from tests.benchmark.contenders.same_work import (
    BROKER_URL,
    CLAIM,
    CONCURRENCY,
    DATABASE_URL,
    EXCHANGE,
    QUEUE,
    REGISTER,
    STRUCTURED,
    OutgoingEvent,
    claim_values,
    read,
    register_values,
    says,
)

exchange = RabbitExchange(EXCHANGE, type=ExchangeType.TOPIC, durable=True, declare=False)
broker = RabbitBroker(
    BROKER_URL,
    logger=None,
    default_channel=Channel(prefetch_count=CONCURRENCY, publisher_confirms=True),
)
app = FastStream(broker, logger=None)
pool = AsyncConnectionPool(DATABASE_URL, min_size=CONCURRENCY, max_size=CONCURRENCY, open=False)


@app.on_startup
async def start() -> None:
    await pool.open()


@app.after_shutdown
async def stop() -> None:
    await pool.close()


@broker.subscriber(
    RabbitQueue(QUEUE, durable=True, declare=False),
    ack_policy=AckPolicy.NACK_ON_ERROR,
)
async def register(_body: object, message: RabbitMessage) -> None:
    said = await handle(bytes(message.body))
    await asyncio.gather(*(publish(event) for event in said))


async def handle(body: bytes) -> list[OutgoingEvent]:
    message, now = read(body), datetime.now(UTC)
    async with pool.connection() as connection, connection.cursor() as cursor:
        await cursor.execute(CLAIM, claim_values(message, now))
        if await cursor.fetchone() is None:
            return []
        await cursor.execute("SELECT nextval('bench_numbers')")
        (number,) = await cursor.fetchone()
        await cursor.execute(REGISTER, register_values(message, now, number))
    return says(message, now, number)


async def publish(event: OutgoingEvent) -> None:
    await broker.publish(
        event.body,
        exchange=exchange,
        routing_key=event.type,
        content_type=STRUCTURED,
        message_id=event.id,
        persist=True,
        mandatory=True,
    )


if __name__ == "__main__":
    asyncio.run(app.run())
