"""The customer's log-in, for people: log in, choose a password, ask for another."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from services.activation.login.api import Forgotten, Login, NewPassword, address_of
from services.activation.login.door import Door
from services.activation.login.entry import Entry
from services.activation.login.log_in import Choice
from services.activation.login.passwords import looks_one_time
from services.activation.login.strength import OWN_MINIMUM
from services.activation.login.visits import Visit, find_visit, keep_visit
from services.activation.login.words import LOCKED, NOT_ALIKE, REFUSED, field_error, field_errors
from services.activation.models import Activation
from shared.base.errors import FieldError, Invalid, Problem
from shared.host.runtime import Runtime
from shared.trade.formats import moment
from shared.web.pages import (
    FormView,
    PageTemplates,
    Posted,
    PostedForm,
    language_of,
    pages_router,
    see_other,
)

TEMPLATES = PageTemplates(Path(__file__).parents[1] / "templates" / "pages")
M = TypeVar("M", bound=BaseModel)


class Unreadable(Exception):
    """The form cannot be read; `errors` say what is wrong with which field."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("the form cannot be read")
        self.errors = errors


def read(form: PostedForm, model: type[M], language: str) -> M:
    """The form as programs send it too; a password is taken with the blanks that it has.

    Raises:
        Unreadable: a field is blank, or cannot be what it should.
    """
    given = {
        name: form.text(name) or "" if name == "login_name" else str(form.data.get(name) or "")
        for name in model.model_fields
    }
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise Unreadable(list(field_errors(error, given, language))) from None


@dataclass(frozen=True)
class _Screen:
    """One of these pages, for whoever asks for it: it is shown anew when something is refused."""

    runtime: Runtime
    request: Request
    name: str
    values: Mapping[str, Any]

    @property
    def language(self) -> str:
        """In which language its reader reads."""
        return language_of(self.request)

    def show(
        self, form: FormView | None = None, *, status: int = 200, trouble: str | None = None
    ) -> Response:
        """The page, with this form in it, and what was refused above it."""
        return TEMPLATES.page(
            self.request,
            self.name,
            status=status,
            form=form or FormView(),
            trouble=trouble,
            **self.values,
        )

    def refuse(self, form: PostedForm, errors: list[FieldError]) -> Response:
        """The page with what is wrong with its fields."""
        return self.show(form.view(errors), status=422)

    def fail(self, form: PostedForm, problem: Problem) -> Response:
        """The page with what was refused: why, and until when where it passes by itself.

        Raises:
            Problem: it is none that is known at this door.
        """
        if isinstance(problem, Invalid):
            return self.refuse(form, list(problem.errors))
        if problem.code == "locked":
            until = self.runtime.clock() + timedelta(seconds=problem.extra["retry_after"])
            shown = moment(until, self.language)
            trouble = LOCKED.in_(self.language).format(until=shown)
        elif problem.code in REFUSED:
            trouble = REFUSED[problem.code].in_(self.language)
        else:
            raise problem
        # A browser shows a window of its own for 401, and has nothing to type there.
        status = 422 if problem.status == 401 else problem.status
        response = self.show(form.view(), status=status, trouble=trouble)
        if "retry_after" in problem.extra:
            response.headers["Retry-After"] = str(problem.extra["retry_after"])
        return response


def login_pages(runtime: Runtime) -> APIRouter:
    """The pages by which a customer logs in."""
    routes = pages_router()
    routes.include_router(_logging_in(runtime))
    routes.include_router(_choosing(runtime))
    routes.include_router(_forgetting(runtime))
    return routes


def _logging_in(runtime: Runtime) -> APIRouter:
    routes, door = pages_router(), runtime.resource(Door)

    def screen(request: Request, typed: str = "") -> _Screen:
        hours = runtime.settings.credentials_hours
        values = {"hours": hours, "is_sent": looks_one_time(typed), "done": _done(request)}
        return _Screen(runtime, request, "login.html", values)

    @routes.get("/login")
    def show_login(request: Request) -> Response:
        visit = find_visit(request, runtime.clock())
        if _done(request) and visit is not None and visit.choice is None:
            return _welcome(runtime, request, visit)
        return screen(request).show()

    @routes.post("/login")
    async def log_in(request: Request, form: Posted) -> Response:
        page = screen(request)
        try:
            body = read(form, Login, page.language)
            password = body.password.get_secret_value()
            page = screen(request, password)
            entry = Entry.of(body.login_name, password, address_of(request))
            admission = await door.admit(runtime, entry)
        except Unreadable as unreadable:
            return page.refuse(form, unreadable.errors)
        except Problem as problem:
            return page.fail(form, problem)
        visit = Visit.of(admission)
        response = see_other("/password" if visit.choice else "/login", done="in")
        keep_visit(request, response, visit, runtime.clock())
        return response

    return routes


def _choosing(runtime: Runtime) -> APIRouter:
    routes, door = pages_router(), runtime.resource(Door)

    def screen(request: Request) -> _Screen:
        visit = find_visit(request, runtime.clock())
        chooser = visit.login_name if visit and visit.choice else None
        values = {"chooser": chooser, "minimum": OWN_MINIMUM}
        return _Screen(runtime, request, "password.html", values)

    @routes.get("/password")
    def show_password(request: Request) -> Response:
        return screen(request).show()

    @routes.post("/password")
    async def change(request: Request, form: Posted) -> Response:
        visit, page = find_visit(request, runtime.clock()), screen(request)
        try:
            if visit is not None and visit.choice is not None:
                await _choose(runtime, request, form, visit.choice, page.language)
                response = see_other("/login", done="chosen")
                keep_visit(request, response, replace(visit, choice=None), runtime.clock())
                return response
            await _change(runtime, request, form, page.language)
        except Unreadable as unreadable:
            return page.refuse(form, unreadable.errors)
        except Problem as problem:
            return page.fail(form, problem)
        return see_other("/login", done="changed")

    @routes.post("/password/strength")
    async def strength(request: Request, form: Posted) -> Response:
        password, name = str(form.data.get("new_password") or "")[:256], form.text("login_name")
        judgement = await door.judge(password, (name or "",), address_of(request))
        return TEMPLATES.page(
            request, "password_strength.html", judgement=judgement, is_typed=bool(password)
        )

    return routes


async def _choose(
    runtime: Runtime, request: Request, form: PostedForm, choice: Choice, language: str
) -> None:
    """Who has just logged in with a one-time password chooses their own."""
    new = _new_password(form, language)
    door = runtime.resource(Door)
    await door.choose(runtime, choice, new, address_of(request), language)


async def _change(runtime: Runtime, request: Request, form: PostedForm, language: str) -> None:
    """Who knows their password changes it."""
    body = read(form, NewPassword, language)
    new = _new_password(form, language)
    entry = Entry.of(body.login_name, body.current_password.get_secret_value(), address_of(request))
    await runtime.resource(Door).change(runtime, entry, new, language)


def _forgetting(runtime: Runtime) -> APIRouter:
    routes, door = pages_router(), runtime.resource(Door)

    def screen(request: Request) -> _Screen:
        values = {"done": _done(request)}
        return _Screen(runtime, request, "password_forgotten.html", values)

    @routes.get("/password/forgotten")
    def show_forgotten(request: Request) -> Response:
        return screen(request).show()

    @routes.post("/password/forgotten")
    async def forget(request: Request, form: Posted) -> Response:
        page = screen(request)
        try:
            body = read(form, Forgotten, page.language)
            door.forget(runtime, body.login_name, address_of(request))
        except Unreadable as unreadable:
            return page.refuse(form, unreadable.errors)
        except Problem as problem:
            return page.fail(form, problem)
        return see_other("/password/forgotten", done="sent")

    return routes


def _new_password(form: PostedForm, language: str) -> str:
    """The new password, which was typed twice alike.

    Raises:
        Unreadable: it was not.
    """
    new = str(form.data.get("new_password") or "")
    if new != str(form.data.get("new_password_again") or ""):
        raise Unreadable([field_error("new_password_again", NOT_ALIKE, language)])
    return new


def _welcome(runtime: Runtime, request: Request, visit: Visit) -> Response:
    """Where a customer goes on from here, once they are in."""
    with runtime.reading() as session:
        activation = session.get_one(Activation, visit.onboarding_id)
    signup = activation.signup
    return TEMPLATES.page(
        request,
        "logged_in.html",
        language=signup.customer.language if signup else None,
        company=activation.company,
        login_name=activation.login_name,
        office=signup.office if signup else None,
        package_url=runtime.settings.package_url,
        done=_done(request),
    )


def _done(request: Request) -> str | None:
    return request.query_params.get("done")
