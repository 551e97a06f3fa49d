"""What HTTP costs at the least: FastAPI routes as a competent user would write them by hand.

They verify the same token, validate the same fields, answer with the same ones, and for a sign-up
read and insert the same rows, in one transaction of plain SQL (`bare_signup`). They do less in
this: no rules of the trade, no repeat made harmless by its key, nothing published or mailed, no
link signed, no record of wrong passwords, and where a customer stands is not derived from facts:
the steps are read as they were written.
"""

import os
from datetime import datetime
from typing import Annotated, Any, Literal

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy import create_engine

from shared.events import SignupSubmitted
from tests.benchmark.contenders.bare_signup import TABLES, insert_signup

KEY = os.environ["BENCH_TOKEN_KEY"]
SHOWN = """
SELECT onboarding_id, facts, office_code, company, heard_at, blocker, since, reference,
    order_reference, administration_number, login_name, attempt, state, ordered_by, ordered_at,
    sent_at, expires_at, one_time_hash, own_hash, first_login_at, standing
FROM bare_onboarding
"""
"""The columns that Stappenplan reads, and the steps."""

engine = create_engine(os.environ["BENCH_DATABASE_URL"], pool_size=40)
app = FastAPI()
bearer = HTTPBearer()

with engine.begin() as opening:
    for table in TABLES:
        opening.exec_driver_sql(table)


class Caller(BaseModel):
    """Who calls, as their token says."""

    name: str
    office: str


class Submitted(BaseModel):
    """By what a sign-up is known."""

    onboarding_id: str
    reference: str
    status_url: str


class Step(BaseModel):
    """One of the seven steps."""

    step: str
    status: Literal["done", "current", "waiting", "failed"]
    at: datetime | None = None
    by: str | None = None


class Blocker(BaseModel):
    """What is waited for."""

    code: str
    text: str
    actor: str


class Onboarding(BaseModel):
    """Where a customer stands."""

    onboarding_id: str
    reference: str | None
    office_code: str | None
    company: str | None
    order_reference: str | None
    administration_number: str | None
    login_name: str | None
    steps: list[Step]
    blockers: list[Blocker]
    next_actor: str


class Login(BaseModel):
    """Who logs in."""

    login_name: str
    password: str


class LoggedIn(BaseModel):
    """Who has logged in."""

    onboarding_id: str
    login_name: str
    company: str


async def caller_with(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
) -> Caller:
    """Whose token it is."""
    claims = jwt.decode(credentials.credentials, KEY, algorithms=["HS256"], audience="stappenplan")
    return Caller(name=claims["sub"], office=claims["office"])


Known = Annotated[Caller, Depends(caller_with)]


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/api/signups", status_code=202)
def submit(body: SignupSubmitted, caller: Known) -> Submitted:
    if body.office_code != caller.office:
        raise HTTPException(403)
    with engine.begin() as connection:
        onboarding_id, reference = insert_signup(connection, body, caller.name)
    url = f"http://127.0.0.1/status/{onboarding_id}"
    return Submitted(onboarding_id=onboarding_id, reference=reference, status_url=url)


@app.get("/api/onboardings/{onboarding_id}")
def show(onboarding_id: str, caller: Known) -> Onboarding:
    with engine.begin() as connection:
        query = f"{SHOWN} WHERE onboarding_id = %s"
        row = connection.exec_driver_sql(query, (onboarding_id,)).fetchone()
    if row is None or row.office_code != caller.office:
        raise HTTPException(404)
    return _shown(row)


@app.get("/api/onboardings")
def listed(caller: Known) -> list[Onboarding]:
    with engine.begin() as connection:
        query = (
            f"{SHOWN} WHERE office_code = %s ORDER BY heard_at DESC, onboarding_id DESC LIMIT 100"
        )
        rows = connection.exec_driver_sql(query, (caller.office,)).fetchall()
    return [_shown(row) for row in rows]


def _shown(row: Any) -> Onboarding:
    return Onboarding(
        onboarding_id=row.onboarding_id,
        reference=row.reference,
        office_code=row.office_code,
        company=row.company,
        order_reference=row.order_reference,
        administration_number=row.administration_number,
        login_name=row.login_name,
        **row.standing,
    )


@app.post("/api/login")
def login(body: Login) -> LoggedIn:
    with engine.begin() as connection:
        query = "SELECT onboarding_id, company, own_hash FROM bare_onboarding WHERE login_name = %s"
        row = connection.exec_driver_sql(query, (body.login_name,)).fetchone()
    if row is None:
        raise HTTPException(401)
    try:
        PasswordHasher().verify(row.own_hash, body.password)
    except VerifyMismatchError:
        raise HTTPException(401) from None
    return LoggedIn(
        onboarding_id=row.onboarding_id, login_name=body.login_name, company=row.company
    )
