"""Customers whose money is on its way: what billing has of them, and what KING reports."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from infra.composition import build_service
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
from tests.benchmark.stock import settle

GOLDEN = Path(__file__).parents[1] / "contract" / "golden"
RESULT = "collection.result.v1"
PRICE = 4235

MANDATES = """
INSERT INTO mandate (key, reference, scheme, iban, account_holder, signed_on, recorded_at)
SELECT 'order/O-2026-' || lpad(n::text, 6, '0'), 'M-2026-' || lpad(n::text, 6, '0'), 'CORE',
    'NL91ABNA0417164300', 'Bakkerij ' || n, date '2026-11-20', timestamptz '2026-11-20 09:00Z'
FROM generate_series(1, %(count)s) n
"""
ORDERS = """
INSERT INTO customer_order (onboarding_id, reference, office_code, registered, amount_cents,
    currency, placed_on, mandate_key, signed_on, signature_method, signed_by, received_at,
    withdrawn, standing, revision, stage, company_key)
SELECT gen_random_uuid()::text, 'O-2026-' || lpad(n::text, 6, '0'), '0042', %(registered)s,
    %(price)s, 'EUR', date '2026-11-20', 'order/O-2026-' || lpad(n::text, 6, '0'),
    date '2026-11-20', 'post', 'A. Voorbeeld', timestamptz '2026-11-20 09:00Z', false, 'open', 1,
    'signed', 'bakkerij ' || n
FROM generate_series(1, %(count)s) n
"""
COLLECTIONS = """
INSERT INTO collection (key, order_reference, onboarding_id, office_code, end_to_end_id, attempt,
    amount_cents, currency, collect_on, requested_at, status, held, results)
SELECT reference || '/' || reference || '-1', reference, onboarding_id, office_code,
    reference || '-1', 1, amount_cents, currency, date '2026-12-07',
    timestamptz '2026-11-20 09:00Z', 'requested', 0, '[]'
FROM customer_order
"""


def stock(url: str, count: int) -> None:
    """Give an empty database billing's schema, and so many signed orders that KING collects."""
    database = Database(url)
    upgrade(database, build_service("billing", Settings()).migrations)
    database.close()
    dsn = libpq(url)
    values = {"count": count, "price": PRICE, "registered": json.dumps(_registered())}
    with psycopg.connect(dsn) as connection:
        for statement in (MANDATES, ORDERS, COLLECTIONS):
            connection.execute(statement, values)
    settle(dsn)


def reports(url: str) -> Iterator[bytes]:
    """KING reports of each order in turn that its money came."""
    like = _golden(RESULT)
    for onboarding_id, reference in customers(url):
        told = {"order_reference": reference, "end_to_end_id": f"{reference}-1"}
        money = {"amount_cents": PRICE, "status": "succeeded", "reason_code": None}
        data = {**like["data"], **told, **money}
        event = {**like, "id": str(uuid4()), "subject": onboarding_id, "data": data}
        yield json.dumps(event).encode()


def customers(url: str) -> list[tuple[str, str]]:
    """Each customer's onboarding id, and the reference of their order."""
    with psycopg.connect(libpq(url)) as connection:
        rows = connection.execute("SELECT onboarding_id, reference FROM customer_order").fetchall()
    return [(str(onboarding_id), str(reference)) for onboarding_id, reference in rows]


def released(url: str) -> int:
    """How many customers are released."""
    with psycopg.connect(libpq(url)) as connection:
        query = "SELECT count(*) FROM customer_order WHERE stage = 'released'"
        return int((connection.execute(query).fetchone() or [0])[0])


def libpq(url: str) -> str:
    """SQLAlchemy's address as libpq has it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


def _registered() -> dict[str, Any]:
    data: dict[str, Any] = _golden("registration.completed.v1")["data"]
    return data


def _golden(event_type: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((GOLDEN / f"{event_type}.json").read_bytes())
    return document
