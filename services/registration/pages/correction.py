"""The form in which the office corrects a sign-up, by the very rules of the sign-up."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from fastapi import APIRouter, Request, Response

from services.registration.changes import Correction
from services.registration.commands import CorrectSignup
from services.registration.corrections import corrected
from services.registration.lookup import load_or_404, visible
from services.registration.pages.screen import Reviewer, registration_page, templates
from shared.base.errors import Conflict, Invalid
from shared.events import SignupAccepted
from shared.events.shapes import LegalForm
from shared.host.runtime import Runtime
from shared.trade.catalogue import Catalogue
from shared.web.auth import Caller
from shared.web.pages import FormView, Posted, PostedForm, language_of, pages_router, see_other
from shared.web.references import Reference

KIND, MODULES = "payer.kind", "package.modules"
NEEDED_OF_ANOTHER = ("payer.name", "payer.email")
FIELDS = (
    "customer.company",
    "customer.legal_form",
    "customer.kvk",
    "customer.vat_id",
    *(f"customer.address.{name}" for name in ("street", "number", "postcode", "city", "country")),
    *(f"customer.contact.{name}" for name in ("first_name", "infix", "last_name")),
    "customer.email",
    "customer.mobile",
    "package.code",
    KIND,
    *NEEDED_OF_ANOTHER,
    "payer.account_holder",
)
"""What can be corrected, as the event names it; beside these the modules, and the IBAN."""

IBAN = "payer.iban"
"""An office sees how it ends: what it leaves empty stays as it is, as long as the same one pays."""


def correction_pages(runtime: Runtime) -> APIRouter:
    """The form, and what comes of it."""
    routes = pages_router()

    @routes.get("/registrations/{onboarding_id}/correct")
    def form_page(request: Request, onboarding_id: Reference, caller: Reviewer) -> Response:
        signup = _signup(runtime, caller, onboarding_id)
        return _form(request, runtime, onboarding_id, signup, FormView.of(_shown(signup, caller)))

    @routes.post("/registrations/{onboarding_id}/correct")
    def correct(
        request: Request, onboarding_id: Reference, caller: Reviewer, form: Posted
    ) -> Response:
        subject = visible(runtime, caller, onboarding_id)
        signup = _signup(runtime, caller, subject)
        parts = _changes(form, _shown(signup, caller))
        if not parts:
            return see_other(f"/registrations/{subject}")
        try:
            # First by the rules that say of each field what to do, whatever was typed into it.
            corrected(signup, parts, runtime.resource(Catalogue), language_of(request))
            correction = Correction.model_validate(parts)
            command = CorrectSignup(by=caller.name, fields=correction.fields(), **parts)
            runtime.handle(command, subject=subject, by=caller.person, key=form.key)
        except Invalid as refusal:
            return _form(request, runtime, subject, signup, form.view(refusal.errors))
        except Conflict as conflict:
            return registration_page(request, runtime, caller, subject, conflict=conflict)
        return see_other(f"/registrations/{subject}", done="corrected")

    return routes


def _form(
    request: Request, runtime: Runtime, reference: str, signup: SignupAccepted, form: FormView
) -> Response:
    language, catalogue = language_of(request), runtime.resource(Catalogue)
    return templates.page(
        request,
        "correction.html",
        status=422 if form.errors else 200,
        form=form,
        reference=reference,
        signup=signup,
        legal_forms=get_args(LegalForm),
        packages=[(code, _name(item, language)) for code, item in catalogue.packages.items()],
        modules=[(code, _name(item, language), None) for code, item in catalogue.modules.items()],
    )


def _name(article: Any, language: str) -> str:
    return str(article.name.en if language == "en" else article.name.nl)


def _signup(runtime: Runtime, caller: Caller, reference: str) -> SignupAccepted:
    with runtime.reading() as session:
        return load_or_404(session, caller, reference).signup()


def _shown(signup: SignupAccepted, caller: Caller) -> dict[str, Any]:
    """What the form begins with: the account number in full for KING alone."""
    whole = signup.model_dump(
        mode="json", include={"customer", "package", "payer"}, exclude_none=True
    )
    if caller.office is not None:
        whole["payer"].pop("iban", None)
    return whole


def _changes(form: PostedForm, before: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from before, in its parts; a field that was emptied is null."""
    parts: dict[str, Any] = {}
    for name, value in _differences(form, before):
        *path, last = name.split(".")
        inner = parts
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return parts


def _differences(form: PostedForm, before: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    # Of who was to pay nothing stays once another is: what both are called is named anew.
    another = "other" == form.text(KIND) != _value(before, KIND)
    for name in (*FIELDS, IBAN):
        if form.text(name) != _value(before, name) or (another and name in NEEDED_OF_ANOTHER):
            yield name, form.text(name)
    if set(form.texts(MODULES)) != set(_value(before, MODULES) or ()):
        yield MODULES, form.texts(MODULES)


def _value(values: Mapping[str, Any], name: str) -> Any:
    found: Any = values
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
