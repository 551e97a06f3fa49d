"""Payments through billing's engine without its threads, beside a plain loop of inserts."""

import copy
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path
from uuid import uuid4

import psycopg
from sqlmodel import Session

from infra.composition import build_service, publisher_rules, senders
from services.billing.models import Collection, Mandate, Order
from shared.events.envelope import CONTENT_TYPE
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.persistence.bulk import insert_rows
from shared.processing.testing import RecordingBus
from tests.integration.plans import stock
from tests.servers.postgres import Databases, Postgres

PAYMENTS = 200
"""As many as a batch holds."""
TIMES = 5
"""How often the plain loop runs, so that it takes about as long as what it is compared with."""
RESULT = "collection.result.v1"

PLAIN = (
    "INSERT INTO plain_inbox VALUES (%s, %s)",
    "INSERT INTO plain_payment VALUES (%s, %s)",
    "INSERT INTO plain_outbox VALUES (%s, %s)",
)


@contextmanager
def billing(postgres: Postgres, folder: Path) -> Iterator[tuple[Runtime, str]]:
    """Billing without its threads on an empty database of its own, and the latter's address."""
    databases = Databases(postgres)
    url = databases.make("payments")
    settings = Settings(database_url=url, data_dir=folder, log_level="error")
    service = build_service("billing", settings)
    runtime = Runtime(
        service, settings, RecordingBus(), senders(settings), publisher_rules(settings)
    )
    runtime.prepare()
    try:
        yield runtime, url.replace("postgresql+psycopg://", "postgresql://")
    finally:
        runtime.database.close()
        databases.drop(url)


def measure(postgres: Postgres, folder: Path, rounds: int) -> tuple[float, float]:
    """Seconds of the processor for a batch of payments, and for the plain loop, at their best.

    Turn and turn about, and the best of each: what disturbs the machine makes both slower.
    """
    payers = (number for number in count() if _to_be_paid(number))
    payments, plain = [], []
    with billing(postgres, folder) as (runtime, dsn), psycopg.connect(dsn) as database:
        _make_plain_tables(database)
        for _ in range(rounds):
            paying = list(islice(payers, PAYMENTS))
            _have_ordered(runtime, paying)
            results = [_paid(number) for number in paying]
            payments.append(processor_seconds(partial(runtime.engine.take, results)))
            plain.append(processor_seconds(partial(_insert_plainly, database)))
        _require_released(runtime, rounds * PAYMENTS)
    return min(payments), min(plain)


def _make_plain_tables(database: "psycopg.Connection[tuple[object, ...]]") -> None:
    for table in ("plain_inbox", "plain_payment", "plain_outbox"):
        database.execute(f"CREATE TABLE {table} (id text PRIMARY KEY, body text)")
    database.commit()


def _insert_plainly(database: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Read as many results, and insert three rows for each in one transaction, `TIMES` over.

    The rows of one table go in one go: where each waits for its answer, what the processor takes
    depends on whom else it serves meanwhile.
    """
    bodies = [json.dumps(stock.golden(RESULT))] * PAYMENTS
    for _ in range(TIMES):
        rows = [[str(uuid4()), json.dumps(json.loads(body))] for body in bodies]
        with database.transaction(), database.cursor() as cursor:
            for statement in PLAIN:
                cursor.executemany(statement, rows)


def processor_seconds(work: Callable[[], object]) -> float:
    """What it takes of the processor in this process: the clock also tells what others do."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _to_be_paid(number: int) -> bool:
    """Whether this customer has signed, and KING was asked to collect."""
    order, collection = stock.order(number), stock.collection(number)
    return bool(order["stage"] == "signed" and collection["status"] == "requested")


def _have_ordered(runtime: Runtime, payers: Sequence[int]) -> None:
    """Their orders, mandates and collections are there."""
    with Session(runtime.database.engine) as session, session.begin():
        insert_rows(session, Order, [stock.order(number) for number in payers])
        insert_rows(session, Collection, [stock.collection(number) for number in payers])
        own = [stock.mandate(number) for number in payers if number >= stock.OFFICES]
        insert_rows(session, Mandate, own)


def _paid(number: int) -> Incoming:
    """KING reports that this customer's collection succeeded."""
    document = copy.deepcopy(stock.golden(RESULT))
    document |= {"id": str(uuid4()), "subject": stock.onboarding(number)}
    reference = stock.reference(number)
    document["data"] |= {
        "order_reference": reference,
        "end_to_end_id": f"{reference}-1",
        "status": "succeeded",
    }
    del document["data"]["reason_code"]
    return Incoming(json.dumps(document).encode(), RESULT, CONTENT_TYPE)


def _require_released(runtime: Runtime, customers: int) -> None:
    """What was measured is what it should be: each payment released its customer.

    Raises:
        RuntimeError: another number of customers was released.
    """
    assert isinstance(runtime.bus, RecordingBus)
    released = sum(said.type == "customer.released.v1" for said in runtime.bus.published)
    if released != customers:
        raise RuntimeError(f"{customers} paid, and {released} were released")
