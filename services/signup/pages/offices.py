"""KING's offices: which there are, adding one, changing one, and what its webmaster needs."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from sqlmodel import col, select
from starlette.responses import Response

from services.signup.commands import office_subject
from services.signup.models import Office
from services.signup.office_data import OfficeBody, is_office_code, put_office
from services.signup.pages.frame import find_office, segment, templates
from shared.base.errors import Conflict, FieldError
from shared.host.runtime import Runtime
from shared.web.auth import Caller
from shared.web.pages import (
    FormView,
    Posted,
    PostedForm,
    Words,
    language_of,
    see_other,
    site_of,
    staff_with,
)
from shared.web.paging import Page

King = Annotated[Caller, Depends(staff_with("offices:manage"))]

LABELS = {
    "code": Words("Kantoorcode", "Office code"),
    "name": Words("Naam", "Name"),
    "email": Words("E-mailadres", "E-mail address"),
    "phone": Words("Telefoon", "Telephone"),
    "language": Words("Taal", "Language"),
    "review": Words("Inschrijvingen nakijken", "Checking sign-ups"),
    "base_administration": Words("Basisadministratie", "Base administration"),
    "pays_for_customers": Words("Betaalt voor klanten", "Pays for customers"),
    "color": Words("Huiskleur", "House colour"),
    "sites": Words("Websites die het formulier tonen", "Websites that show the form"),
}

TROUBLES = {
    "code": Words(
        "Een kantoorcode heeft 1 tot 35 tekens, zonder schuine streep.",
        "An office code has 1 to 35 characters, without a slash.",
    ),
    "name": Words("Vul een naam van hoogstens 200 tekens in.", "Give a name of up to 200 letters."),
    "email": Words(
        "Dit e-mailadres klopt niet; controleer het.",
        "This e-mail address is not right; check it.",
    ),
    "phone": Words("Vul hoogstens 40 tekens in.", "Please use at most 40 characters."),
    "base_administration": Words(
        "Vul de code van een basisadministratie in, bijvoorbeeld standard.",
        "Give the code of a base administration, for example standard.",
    ),
    "color": Words("Een kleur wordt geschreven als #0b5cad.", "A colour is written as #0b5cad."),
    "sites": Words(
        "Schrijf elke website op een eigen regel als https://www.kantoor.example, zonder pad; "
        "hoogstens 20.",
        "Write each website on a line of its own as https://www.kantoor.example, without a path; "
        "at most 20.",
    ),
}
CHOOSE = Words("Maak een keuze.", "Please make a choice.")
FILL_IN = Words("Vul dit veld in.", "Fill in this field.")
EXISTS = Words(
    "Er is al een kantoor met deze code; kies een andere, of wijzig dat kantoor.",
    "There is an office with this code already; choose another, or change that office.",
)
DONE = {
    "added": Words("Het kantoor is toegevoegd.", "The office has been added."),
    "changed": Words("De wijzigingen zijn opgeslagen.", "Your changes have been saved."),
}


def add_pages(routes: APIRouter, runtime: Runtime) -> None:
    """The list, the form for a new office, and one office."""

    @routes.get("/offices")
    def list_offices(request: Request, _king: King, page: Annotated[Page, Depends()]) -> Response:
        if request.query_params.get("new"):
            return _form_page(request, FormView.of(_defaults()), office=None)
        with runtime.reading() as session:
            offices = page.read(session, select(Office), col(Office.code))
        return templates.page(
            request, "offices.html", offices=offices, next_page=page.next, segment=segment
        )

    @routes.post("/offices")
    def add_office(request: Request, king: King, form: Posted) -> Response:
        body, errors = _read(request, form, is_new=True)
        if body is None:
            return _form_page(request, form.view(errors), office=None)
        code = form.text("code") or ""
        try:
            put_office(runtime, code, body, by=king.person, key=form.key, is_new=True)
        except Conflict:
            trouble = _error("code", "office_exists", EXISTS.in_(language_of(request)))
            return _form_page(request, form.view([trouble]), office=None)
        return see_other(f"/offices/{segment(code)}", done="added")

    @routes.get("/offices/{code}")
    def show_office(request: Request, code: str, _king: King) -> Response:
        office = find_office(runtime, code)
        told = {**office.told(), "sites": "\n".join(office.sites)}
        return _form_page(request, FormView.of(told), office=office, acts=_acts(runtime, code))

    @routes.post("/offices/{code}")
    def change_office(request: Request, code: str, king: King, form: Posted) -> Response:
        office = find_office(runtime, code)
        body, errors = _read(request, form, is_new=False)
        if body is None:
            acts = _acts(runtime, code)
            return _form_page(request, form.view(errors), office=office, acts=acts)
        put_office(runtime, code, body, by=king.person, key=form.key)
        return see_other(f"/offices/{segment(code)}", done="changed")


def _form_page(
    request: Request, form: FormView, *, office: Office | None, acts: Any = ()
) -> Response:
    language = language_of(request)
    return templates.page(
        request,
        "office.html",
        status=422 if form.errors else 200,
        form=form,
        office=office,
        office_path=f"/offices/{segment(office.code)}" if office else "/offices",
        code_segment=segment(office.code) if office else "",
        labels={name: words.in_(language) for name, words in LABELS.items()},
        done=DONE.get(request.query_params.get("done", "")),
        base_url=site_of(request).origin(request),
        acts=acts,
    )


def _read(
    request: Request, form: PostedForm, *, is_new: bool
) -> tuple[OfficeBody | None, list[FieldError]]:
    """The office as it was filled in, or what is wrong with it; by the rules of `PUT`."""
    language = language_of(request)
    values: dict[str, Any] = {name: form.text(name) for name in LABELS if name != "code"}
    values["sites"] = (form.text("sites") or "").split()
    errors: list[FieldError] = []
    code = form.text("code") or ""
    if is_new and not is_office_code(code):
        errors.append(_error("code", "code_invalid", TROUBLES["code"].in_(language)))
    try:
        body = OfficeBody.model_validate({k: v for k, v in values.items() if v is not None})
    except ValidationError as refusal:
        errors += _told(refusal, language)
    return (None, errors) if errors else (body, [])


def _told(refusal: ValidationError, language: str) -> Iterator[FieldError]:
    """What is wrong with each field, in the words of the page."""
    seen: set[str] = set()
    for error in refusal.errors(include_input=False, include_url=False):
        field = str(error["loc"][0])
        if field not in seen:
            seen.add(field)
            words = FILL_IN if error["type"] == "missing" else TROUBLES.get(field, CHOOSE)
            yield _error(field, f"{field}_invalid", words.in_(language))


def _error(field: str, code: str, message: str) -> FieldError:
    return FieldError(field=field, code=code, message=message)


def _defaults() -> dict[str, str]:
    """What an office has that says nothing else."""
    names = ("language", "review", "base_administration", "pays_for_customers")
    return {name: str(OfficeBody.model_fields[name].default) for name in names}


def _acts(runtime: Runtime, code: str) -> list[dict[str, Any]]:
    """Who changed the office, the latest first, as `ui.timeline` takes them."""
    with runtime.reading() as session:
        acts = runtime.acts(session, office_subject(code))
    return [{"at": act.at, "who": act.who, "details": act.details} for act in reversed(acts)]
