"""What a registration service has in its database after long use, made by PostgreSQL itself."""

import json

import psycopg

from tests.benchmark.load import GOLDEN, NEXT

DECLINED = "registration.declined.v1"
"""The backlog is of this type: it reaches other queues than the one where work is counted."""
COUNTED = "billing"
"""This queue gets one event for each registration, and nothing of the backlog."""

REGISTRATIONS = """
INSERT INTO registration (onboarding_id, status, office_code, accepted, heard_at, decided_by,
    customer_number, administration_number, administration_name, copied_from)
SELECT gen_random_uuid()::text, 'registered', lpad((n %% 500)::text, 4, '0'), %(accepted)s,
    now() - interval '20 days' * n / %(count)s - interval '1 hour', 'policy',
    'K-' || n, 'A-' || n, 'Bakkerij ' || n, 'standard'
FROM generate_series(1, %(count)s) n
"""
INBOX = """
INSERT INTO inbox (id, type, subject, digest, status, received_at, attempts)
SELECT gen_random_uuid()::text, 'signup.accepted.v1', gen_random_uuid()::text,
    md5(n::text) || md5(n::text), 'done',
    now() - make_interval(days => %(oldest)s) + interval '1 hour' * n / %(count)s, 0
FROM generate_series(1, %(count)s) n
"""
PUBLISHED = """
INSERT INTO outbox (id, type, subject, body, created_at, leased_until, published_at, attempts)
SELECT gen_random_uuid()::text, %(type)s, gen_random_uuid()::text, %(body)s,
    at.moment, at.moment, at.moment, 0
FROM generate_series(1, %(count)s) n, LATERAL (SELECT
    now() - make_interval(days => %(oldest)s) + interval '1 hour' * n / %(count)s AS moment) at
"""
BACKLOG = """
INSERT INTO outbox (id, type, subject, body, created_at, leased_until, attempts)
SELECT gen_random_uuid()::text, %(type)s, gen_random_uuid()::text, %(body)s,
    now() - interval '1 hour', now() + make_interval(secs => %(lease)s), 0
FROM generate_series(1, %(count)s) n
"""
NOTIFICATIONS = """
INSERT INTO notification (id, onboarding_id, kind, channel, recipient, language, params, status,
    created_at, attempts, sent_at, provider_id)
SELECT gen_random_uuid()::text, gen_random_uuid()::text, 'order_confirmation', 'email',
    'klant' || n || '@bakkerij.example', 'nl', '{"name": "Anna"}', 'sent', at.moment, 1,
    at.moment, md5(n::text)
FROM generate_series(1, %(count)s) n, LATERAL (SELECT
    now() - make_interval(days => %(oldest)s) + interval '1 hour' * n / %(count)s AS moment) at
"""
KEPT_DAYS = 5
"""The age of rows that no chore removes: younger than anything is kept."""
OLD_DAYS = 100
"""The age of rows that the cleaning chore removes: older than anything is kept."""


def long_used(dsn: str, count: int) -> None:
    """So many customers, messages heard of late and events said of late."""
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute(REGISTRATIONS, {"count": count, "accepted": _accepted()})
        database.execute(INBOX, {"count": count, "oldest": KEPT_DAYS})
        database.execute(PUBLISHED, _events(count, NEXT[0]) | {"oldest": KEPT_DAYS})
    settle(dsn)


def unpublished(dsn: str, count: int, lease_seconds: int) -> None:
    """So many events that were said and never published, in place of those that are so now.

    With a lease that has ended they are due; with one that lasts nobody may publish them yet.
    """
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute("DELETE FROM outbox WHERE type = %s", [DECLINED])
        database.execute(BACKLOG, _events(count, DECLINED) | {"lease": lease_seconds})
    settle(dsn)


def out_of_date(dsn: str, count: int) -> None:
    """So many rows in each table that the cleaning chore is to remove, behind as many that stay."""
    with psycopg.connect(dsn, autocommit=True) as database:
        for oldest in (OLD_DAYS, KEPT_DAYS):
            database.execute(INBOX, {"count": count, "oldest": oldest})
            database.execute(PUBLISHED, _events(count, NEXT[0]) | {"oldest": oldest})
            database.execute(NOTIFICATIONS, {"count": count, "oldest": oldest})
    settle(dsn)


def any_old(dsn: str) -> bool:
    """Whether any row is left that the cleaning chore is to remove."""
    columns = {"inbox": "received_at", "outbox": "published_at", "notification": "created_at"}
    with psycopg.connect(dsn) as database:
        return any(
            database.execute(
                f"SELECT 1 FROM {table} WHERE {moment} < now() - interval '{OLD_DAYS - 1} days'"
                f" ORDER BY {moment} LIMIT 1"
            ).fetchone()
            for table, moment in columns.items()
        )


def settle(dsn: str) -> None:
    """Do at once what autovacuum and the checkpointer would have done by now."""
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute("VACUUM ANALYZE")
        database.execute("CHECKPOINT")


def _accepted() -> str:
    return json.dumps(json.loads(GOLDEN.read_text(encoding="utf-8"))["data"])


def _events(count: int, event_type: str) -> dict[str, object]:
    golden = (GOLDEN.parent / f"{event_type}.json").read_bytes()
    body = json.dumps(json.loads(golden)).encode()
    return {"count": count, "type": event_type, "body": body}
