"""HTTP in: sign-ups from websites, offices, withdrawals."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlmodel import Session, col, select

from services.signup.commands import HowItPays, PutOffice, Withdraw, office_subject
from services.signup.form.validation import check
from services.signup.loads import office_code_of
from services.signup.models import REJECTED, Office, Signup
from shared.base.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from shared.events import SignupAccepted, SignupRejected, SignupSubmitted
from shared.events.shapes import Color
from shared.host.runtime import Runtime
from shared.processing import Effect
from shared.trade.catalogue import Catalogue
from shared.trade.contact import EmailAddress
from shared.trade.text import PlainCode, PlainLine, is_plain_code
from shared.web.app import IdempotencyKey, api_router, caller_with, inlined
from shared.web.auth import Caller, not_there
from shared.web.documentation import as_people_type_it
from shared.web.paging import NEXT_PAGE, Page
from shared.web.references import Reference, as_onboarding_id, as_reference

Website = Annotated[Caller, Depends(caller_with("signup:submit"))]
BackOffice = Annotated[Caller, Depends(caller_with("offices:manage"))]
Withdrawer = Annotated[Caller, Depends(caller_with("signup:withdraw"))]


NOT_THERE = "There is no onboarding by that id."
REFUSED = "Some fields are missing or wrong; correct them and send the sign-up again."


ORIGIN = re.compile(r"https://[a-z0-9]([a-z0-9.\-]*[a-z0-9])?(:[0-9]{1,5})?", re.ASCII)


def origin(value: object) -> object:
    """The origin of a website's pages (RFC 6454), as browsers write it.

    Raises:
        ValueError: it is another address, or none.
    """
    if not isinstance(value, str):
        return value
    site = value.strip().lower().removesuffix("/")
    if ORIGIN.fullmatch(site) is None:
        raise ValueError("a site is written as https://www.kantoor.example, without a path")
    return site


Site = Annotated[str, BeforeValidator(origin), Field(max_length=200)]


class OfficeBody(BaseModel):
    """An office, as KING's back office keeps it."""

    name: PlainLine = Field(min_length=1, max_length=200)
    email: EmailAddress
    phone: PlainCode | None = Field(default=None, max_length=40)
    language: Literal["nl", "en"] = "nl"
    review: Literal["always", "flagged"] = "flagged"
    base_administration: PlainCode = Field(default="standard", min_length=1, max_length=35)
    pays_for_customers: HowItPays = "no"
    color: Color | None = None
    sites: list[Site] = Field(default_factory=list, max_length=20)


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
    pays_for_customers: str
    color: str | None
    sites: list[str]


class WithdrawBody(BaseModel):
    """Why the onboarding stops."""

    reason: PlainLine = Field(default="op verzoek", min_length=1, max_length=200)


class Submitted(BaseModel):
    """By what the sign-up is known to programs and to people, and where it can be followed."""

    onboarding_id: UUID
    reference: str
    status_url: str


class Withdrawn(BaseModel):
    """Whose onboarding has stopped, and why."""

    onboarding_id: UUID
    reference: str
    reason: str


def is_office_code(code: str) -> bool:
    """Whether an office may be known by it; it becomes part of a broker user's name."""
    return is_plain_code(code)


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
        office = office_code_of(body)
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
        reference = _reference(runtime, str(onboarding_id), effects or ())
        url = f"{runtime.settings.base_url}/api/onboardings/{onboarding_id}"
        return Submitted(onboarding_id=onboarding_id, reference=reference, status_url=url)

    @routes.post("/signups/{onboarding_id}/withdraw", status_code=202, summary="Stop it")
    def withdraw(
        onboarding_id: Reference,
        caller: Withdrawer,
        body: WithdrawBody | None = None,
        key: IdempotencyKey = None,
    ) -> Withdrawn:
        with runtime.reading() as session:
            signup = _load_or_404(session, caller, onboarding_id)
        command = Withdraw(by=caller.name, reason=(body or WithdrawBody()).reason)
        subject = signup.onboarding_id
        runtime.handle(command, subject=subject, by=caller.person, key=key)
        return Withdrawn(
            onboarding_id=UUID(subject), reference=signup.reference or "", reason=command.reason
        )


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
        return [OfficeAnswer.model_validate(office.told()) for office in rows]


def _require_own_office(caller: Caller, office: str | None) -> None:
    """Refuse a sign-up for another office than the token's own.

    Raises:
        Forbidden: it is for another.
    """
    if caller.office and office != caller.office:
        raise Forbidden("wrong_office", f"This token signs up for office {caller.office} alone.")


def _website(office: str | None) -> str:
    """How the website of an office is named in envelopes, whatever stands in the office's place."""
    return f"/website/{office or 'unknown'}"


def _errors_in(effects: Sequence[Effect]) -> Sequence[FieldError]:
    """What is wrong with a sign-up, by what it led to; nothing when it is accepted."""
    rejections = (effect for effect in effects if isinstance(effect, SignupRejected))
    return next((rejected.errors for rejected in rejections), ())


def _reference(runtime: Runtime, onboarding_id: str, effects: Sequence[Effect]) -> str:
    """By what people know a sign-up: it was given just now, or with the request that this repeats.

    Raises:
        Conflict: the same was refused before.
    """
    for effect in effects:
        if isinstance(effect, SignupAccepted):
            return effect.reference
    with runtime.reading() as session:
        signup = session.get(Signup, onboarding_id)
    if signup is None or signup.reference is None:
        raise Conflict("signup_refused_before", "Send this sign-up with a new Idempotency-Key.")
    return signup.reference


def _errors_of_before(
    runtime: Runtime, onboarding_id: str, body: dict[str, Any]
) -> Sequence[FieldError]:
    """What was wrong with a sign-up that is sent once more: a repeat is answered like the first."""
    with runtime.reading() as session:
        signup = session.get(Signup, onboarding_id)
        office = session.get(Office, office_code_of(body) or "")
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
    return {
        "requestBody": {
            "content": {"application/json": {"schema": as_people_type_it(inlined(schema))}}
        }
    }


def _load_or_404(session: Session, caller: Caller, reference: str) -> Signup:
    """The sign-up by its onboarding id, its reference, or the number that registration gave.

    Raises:
        NotFound: there is none, it was never accepted, or it is another office's.
    """
    onboarding_id = as_onboarding_id(reference)
    if onboarding_id is None:
        series, stored = as_reference(reference)
        column = col(Signup.customer_number if series == "K" else Signup.reference)
        signup = session.exec(select(Signup).where(column == stored)).one_or_none()
    else:
        signup = session.get(Signup, onboarding_id)
    if signup is None or not signup.contents_are_final:
        raise not_there()
    caller.require_office(signup.office_code)
    return signup
