"""A sign-up written down by hand: the rows that Stappenplan reads and inserts for one."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from shared.events import SignupSubmitted

TABLES = (
    "CREATE TABLE bare_inbox (id text PRIMARY KEY, type text, subject text, at timestamptz)",
    "CREATE TABLE bare_office (code text PRIMARY KEY, name text, email text, review text)",
    "INSERT INTO bare_office VALUES ('0042', 'Kantoor', 'k@voorbeeld.example', 'flagged')",
    "CREATE TABLE bare_count (key text PRIMARY KEY, signups int)",
    """CREATE TABLE bare_act (id text PRIMARY KEY, subject text, what text, who text,
        at timestamptz)""",
    "CREATE TABLE bare_outbox (id text PRIMARY KEY, type text, subject text, body text)",
    "CREATE TABLE bare_mail (id text PRIMARY KEY, kind text, recipient text, params json)",
    "CREATE SEQUENCE bare_reference",
    """CREATE TABLE bare_signup (onboarding_id text PRIMARY KEY, reference text UNIQUE,
        office_code text, package_code text, kvk text, company_key text, status text,
        submitted_at timestamptz, accepted json)""",
    "CREATE INDEX ON bare_signup (kvk)",
    "CREATE INDEX ON bare_signup (company_key)",
    """CREATE TABLE bare_onboarding (onboarding_id text PRIMARY KEY, facts json, office_code text,
        company text, heard_at timestamptz, blocker text, since timestamptz, reference text,
        order_reference text, administration_number text, login_name text UNIQUE, attempt int,
        state text, ordered_by text, ordered_at timestamptz, sent_at timestamptz,
        expires_at timestamptz, one_time_hash text, own_hash text, first_login_at timestamptz,
        standing json)""",
    "CREATE INDEX ON bare_onboarding (office_code, heard_at, onboarding_id)",
)

STEPS = ("AANMELDEN", "INRICHTEN", "BEVESTIGEN", "VRIJGEVEN", "ACTIVEREN", "INLOGGEN")
WAITED_FOR = {
    "code": "registering",
    "text": "De klant wordt bij KING aangemeld.",
    "actor": "nobody",
}


def insert_signup(connection: Connection, body: SignupSubmitted, who: str) -> tuple[str, str]:
    """Read and insert what a sign-up takes; the id and the reference that it is known by."""
    run = connection.exec_driver_sql
    subject, now = str(uuid4()), datetime.now(UTC)
    customer = body.customer
    key = f"{customer.company}/{customer.email}".casefold()
    run(
        "INSERT INTO bare_inbox VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (str(uuid4()), "signup.submitted.v1", subject, now),
    )
    run(
        "INSERT INTO bare_act VALUES (%s, %s, %s, %s, %s)",
        (str(uuid4()), subject, "signup.submitted.v1", who, now),
    )
    office = run("SELECT * FROM bare_office WHERE code = %s FOR UPDATE", (body.office_code,)).one()
    alike = run(
        "SELECT reference FROM bare_signup WHERE (kvk = %s OR company_key = %s) "
        "AND status = 'accepted' AND office_code = %s",
        (customer.kvk, key, office.code),
    ).scalars()
    warnings = [{"code": "likely_duplicate", "text": reference} for reference in alike]
    keys = sorted({f"office/{office.code}", customer.email})
    run(
        "INSERT INTO bare_count SELECT unnest(%s::text[]), 1 "
        "ON CONFLICT (key) DO UPDATE SET signups = bare_count.signups + 1 RETURNING signups",
        (keys,),
    ).all()
    number = run("SELECT nextval('bare_reference')").scalar_one()
    reference = f"S-{now.year}-{number:06d}"
    accepted = body.model_dump(mode="json") | {
        "reference": reference,
        "office": dict(office._mapping),
        "warnings": warnings,
    }
    text = json.dumps(accepted)
    run(
        "INSERT INTO bare_signup VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(subject, reference, office.code, body.package.code, customer.kvk, key),
            *("accepted", now, text),
        ),
    )
    _insert_outgoing(connection, subject, text, (customer.email, office.email))
    _insert_onboarding(connection, subject, accepted, now)
    return subject, reference


def _insert_outgoing(
    connection: Connection, subject: str, text: str, recipients: tuple[str, str]
) -> None:
    connection.exec_driver_sql(
        "INSERT INTO bare_outbox VALUES (%s, %s, %s, %s)",
        (str(uuid4()), "signup.accepted.v1", subject, text),
    )
    customer, office = recipients
    connection.exec_driver_sql(
        "INSERT INTO bare_mail VALUES (%s, %s, %s, %s), (%s, %s, %s, %s)",
        (
            *(str(uuid4()), "signup_received", customer, text),
            *(str(uuid4()), "signup_received_office", office, text),
        ),
    )


def _insert_onboarding(
    connection: Connection, subject: str, accepted: dict[str, Any], now: datetime
) -> None:
    """The checklist, which Stappenplan keeps beside the sign-up upon its event."""
    steps = [{"step": "INSCHRIJVEN", "status": "done", "at": now.isoformat(), "by": "customer"}]
    steps += [
        {"step": name, "status": "waiting" if number else "current"}
        for number, name in enumerate(STEPS)
    ]
    standing = {"steps": steps, "blockers": [WAITED_FOR], "next_actor": "nobody"}
    facts = {"signup": {"type": "signup.accepted.v1", "at": now.isoformat(), "data": accepted}}
    connection.exec_driver_sql(
        "INSERT INTO bare_onboarding (onboarding_id, facts, office_code, company, heard_at, "
        "blocker, since, reference, attempt, standing) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 0, %s)",
        (
            *(subject, json.dumps(facts), accepted["office_code"]),
            *(accepted["customer"]["company"], now),
            *("registering", now, accepted["reference"], json.dumps(standing)),
        ),
    )
