"""HTTP in: sign-ups from websites, offices, withdrawals."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from services.signup.commands import PutOffice, Withdraw, office_subject
from services.signup.form.validation import check
from services.signup.models import REJECTED, Office, Signup
from shared.base.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from shared.events import SignupRejected, SignupSubmitted
from shared.host.runtime import Runtime
from shared.processing import Effect
from shared.trade.catalogue import Catalogue
from shared.trade.contact import EmailAddress
from shared.web.app import IdempotencyKey, api_router, caller_with, inlined
from shared.web.auth import Caller, not_there
from shared.web.paging import NEXT_PAGE, Page

Website = Annotated[Caller, Depends(caller_with("signup:submit"))]
BackOffice = Annotated[Caller, Depends(caller_with("offices:manage"))]
Withdrawer = Annotated[Caller, Depends(caller_with("signup:withdraw"))]


REFUSED = "Some fields are missing or wrong; correct them and send the sign-up again."


class OfficeBody(BaseModel):
    """An office, as KING's back office keeps it."""

    name: str = Field(min_length=1, max_length=200)
    email: EmailAddress
    phone: str | None = Field(default=None, max_length=40)
    language: Literal["nl", "en"] = "nl"
    review: Literal["always", "flagged"] = "flagged"
    base_administration: str = Field(default="standard", min_length=1, max_length=35)
    pays_for_customers: bool = False


class OfficeAnswer(BaseModel):
    """An office as it is kept."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    name: str
    email: str
    phone: str | None
    language: str
    review: str
    base_administration: str
    pays_for_customers: bool


class WithdrawBody(BaseModel):
    """Why the onboarding stops."""

    reason: str = Field(default="op verzoek", min_length=1, max_length=200)


class Submitted(BaseModel):
    """Where the sign-up can be followed."""

    onboarding_id: UUID
    status_url: str


def is_office_code(code: str) -> bool:
    """Whether an office may be known by it; it becomes part of a broker user's name."""
    return 1 <= len(code) <= 35 and code.isprintable()


def router(runtime: Runtime) -> APIRouter:
    """Signup's routes."""
    routes = api_router(prefix="/api", tags=["signup"])
    _signups(routes, runtime)
    _offices(routes, runtime)
    return routes


def _signups(routes: APIRouter, runtime: Runtime) -> None:
    """What a website does."""

    @routes.post(
        "/signups", status_code=202, summary="Submit a sign-up", openapi_extra=_as_submitted()
    )
    def submit(
        body: Annotated[dict[str, Any], Body()], caller: Website, key: IdempotencyKey = None
    ) -> Submitted:
        office = body.get("office_code")
        _require_own_office(caller, office)
        source = _website(office)
        onboarding_id = runtime.derived_onboarding_id(source, by=caller.person, key=key)
        effects = runtime.handle_event(
            SignupSubmitted.event_type,
            body,
            subject=str(onboarding_id),
            source=source,
            by=caller.person,
            key=key,
        )
        if errors := (
            _errors_of_before(runtime, str(onboarding_id), body)
            if effects is None
            else _errors_in(effects)
        ):
            raise Invalid("signup_invalid", REFUSED, errors=errors)
        url = f"{runtime.settings.base_url}/api/onboardings/{onboarding_id}"
        return Submitted(onboarding_id=onboarding_id, status_url=url)

    @routes.post("/signups/{onboarding_id}/withdraw", status_code=202, summary="Stop it")
    def withdraw(
        onboarding_id: UUID,
        caller: Withdrawer,
        body: WithdrawBody | None = None,
        key: IdempotencyKey = None,
    ) -> None:
        with runtime.reading() as session:
            _require_visible(session, caller, onboarding_id)
        command = Withdraw(by=caller.name, reason=(body or WithdrawBody()).reason)
        runtime.handle(command, subject=str(onboarding_id), by=caller.person, key=key)


def _offices(routes: APIRouter, runtime: Runtime) -> None:
    """Whose websites there are."""

    @routes.put("/offices/{code}", summary="Add or change an office")
    def put_office(code: str, body: OfficeBody, caller: BackOffice) -> OfficeAnswer:
        caller.require_office(code)
        if not is_office_code(code):
            raise NotFound("not_found", "The code of an office has 1 to 35 characters.")
        command = PutOffice(code=code, **body.model_dump())
        runtime.handle(command, subject=office_subject(code), by=caller.person)
        return OfficeAnswer.model_validate(command)

    @routes.get("/offices", summary="The offices", responses=NEXT_PAGE)
    def offices(caller: BackOffice, page: Annotated[Page, Depends()]) -> list[OfficeAnswer]:
        query = select(Office)
        if caller.office:
            query = query.where(Office.code == caller.office)
        with runtime.reading() as session:
            rows = page.read(session, query, col(Office.code))
        return [OfficeAnswer.model_validate(office) for office in rows]


def _require_own_office(caller: Caller, office: object) -> None:
    """Refuse a sign-up for another office than the token's own.

    Raises:
        Forbidden: it is for another.
    """
    if caller.office and office != caller.office:
        raise Forbidden("wrong_office", f"This token signs up for office {caller.office} alone.")


def _website(office: object) -> str:
    """How the website of an office is named in envelopes, whatever stands in the office's place."""
    return f"/website/{office}"[:200] if isinstance(office, str) else "/website/unknown"


def _errors_in(effects: Sequence[Effect]) -> Sequence[FieldError]:
    """What is wrong with a sign-up, by what it led to; nothing when it is accepted."""
    rejections = (effect for effect in effects if isinstance(effect, SignupRejected))
    return next((rejected.errors for rejected in rejections), ())


def _errors_of_before(
    runtime: Runtime, onboarding_id: str, body: dict[str, Any]
) -> Sequence[FieldError]:
    """What was wrong with a sign-up that is sent once more: a repeat is answered like the first."""
    with runtime.reading() as session:
        signup = session.get(Signup, onboarding_id)
        office = session.get(Office, str(body.get("office_code")))
    if signup is None or signup.status != REJECTED:
        return ()
    catalogue = runtime.resource(Catalogue)
    errors = check(body, catalogue=catalogue, office=office, now=runtime.clock()).errors
    if not errors:
        # What stood in its way is gone, e.g. the office has been entered since.
        raise Conflict("signup_refused_before", "Send this sign-up with a new Idempotency-Key.")
    return errors


def _as_submitted() -> dict[str, Any]:
    """What the body should hold. It is checked field by field by the handler, not on the way in."""
    schema = SignupSubmitted.model_json_schema()
    return {"requestBody": {"content": {"application/json": {"schema": inlined(schema)}}}}


def _require_visible(session: Session, caller: Caller, onboarding_id: UUID) -> None:
    signup = session.get(Signup, str(onboarding_id))
    if signup is None or not signup.contents_are_final:
        raise not_there()
    caller.require_office(signup.office_code)
