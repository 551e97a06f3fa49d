"""What HTTP costs at the least: bare FastAPI routes that do the same inserts by hand.

They check no token, validate no field, derive nothing and send nothing: three rows in one
transaction for a sign-up, one row read for a customer, a hundred for a list, one hash compared for
a log-in.
"""

import json
import os
from typing import Annotated, Any
from uuid import uuid4

from argon2 import PasswordHasher
from fastapi import Body, FastAPI
from sqlalchemy import create_engine

engine = create_engine(os.environ["BENCH_DATABASE_URL"], pool_size=40)
app = FastAPI()

with engine.begin() as opening:
    for table in ("bare_inbox", "bare_signup", "bare_outbox"):
        opening.exec_driver_sql(f"CREATE TABLE {table} (id text PRIMARY KEY, body text)")


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/api/signups", status_code=202)
def submit(body: Annotated[dict[str, Any], Body()]) -> dict[str, str]:
    onboarding_id, text = str(uuid4()), json.dumps(body)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO bare_inbox VALUES (%s, '')", (str(uuid4()),))
        connection.exec_driver_sql("INSERT INTO bare_signup VALUES (%s, %s)", (onboarding_id, text))
        connection.exec_driver_sql("INSERT INTO bare_outbox VALUES (%s, %s)", (str(uuid4()), text))
    return {"onboarding_id": onboarding_id}


@app.get("/api/onboardings/{onboarding_id}")
def show(onboarding_id: str) -> dict[str, Any]:
    with engine.begin() as connection:
        query = "SELECT body FROM bare_signup WHERE id = %s"
        row = connection.exec_driver_sql(query, (onboarding_id,)).fetchone()
    return {"onboarding_id": onboarding_id, "data": json.loads(row[0]) if row else None}


@app.get("/api/onboardings")
def listed() -> list[dict[str, Any]]:
    with engine.begin() as connection:
        query = "SELECT id, body FROM bare_signup ORDER BY id LIMIT 100"
        rows = connection.exec_driver_sql(query).fetchall()
    return [{"onboarding_id": row[0], "data": json.loads(row[1])} for row in rows]


@app.post("/api/login")
def login(body: Annotated[dict[str, str], Body()]) -> dict[str, str]:
    with engine.begin() as connection:
        query = "SELECT body FROM bare_signup WHERE id = %s"
        row = connection.exec_driver_sql(query, (body["login_name"],)).fetchone()
    PasswordHasher().verify(row[0] if row else "", body["password"])
    return {"login_name": body["login_name"]}
