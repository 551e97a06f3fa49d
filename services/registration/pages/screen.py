"""The page of one registration: what every route shows again when something stands in its way."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from sqlmodel import col, select

from services.registration.lookup import detail
from services.registration.models import REVIEW, BaseAdministration, Registration
from services.registration.responses import RegistrationDetail
from shared.base.errors import Conflict
from shared.events.shapes import Language
from shared.host.runtime import Runtime
from shared.trade.catalogue import Catalogue, NotInCatalogue
from shared.trade.form.warnings import warning_words
from shared.web.auth import Caller
from shared.web.pages import FormView, PageTemplates, Words, language_of, staff_with

Reviewer = Annotated[Caller, Depends(staff_with("registrations:review"))]

templates = PageTemplates(Path(__file__).parents[1] / "templates" / "pages")

STATUS = {
    "review": Words("wacht op uw controle", "waits for your check"),
    "registered": Words("aangemeld", "registered"),
    "declined": Words("afgewezen", "declined"),
    "withdrawn": Words("ingetrokken", "withdrawn"),
}

DONE = {
    "corrected": Words("De gegevens zijn gecorrigeerd.", "The details are corrected."),
    "registered": Words(
        "De vorige klant is aangemeld; de order- en incassobevestiging gaat naar de betaler.",
        "The customer before is registered; the payer is sent the order confirmation.",
    ),
    "declined": Words(
        "De vorige inschrijving is afgewezen; de klant krijgt daar bericht van.",
        "The sign-up before is declined; the customer is told.",
    ),
    "copied": Words("De administratie is gevraagd.", "The administration is asked for."),
}
"""What was done just now, by the word for it in the address."""

CONFLICTS = {
    "already_decided": Words(
        "Over deze inschrijving is al beslist; hieronder staat hoe.",
        "This sign-up was decided before; below you see how.",
    ),
    "not_registered": Words(
        "Meld de klant eerst aan; daarna komt de administratie.",
        "Register the customer first; then their administration.",
    ),
}


def registration_page(
    request: Request,
    runtime: Runtime,
    caller: Caller,
    reference: str,
    *,
    form: FormView | None = None,
    conflict: Conflict | None = None,
) -> HTMLResponse:
    """One registration, with what is wrong with the `form` for it, or what stands in the way.

    Raises:
        NotFound: there is none that the caller may see.
    """
    shown = detail(runtime, caller, reference)
    return templates.page(
        request,
        "registration.html",
        status=409 if conflict else 422 if form else 200,
        registration=shown,
        status_words=STATUS[shown.status],
        **ordered(runtime, shown, language_of(request)),
        form=form or FormView.of({"base_administration": shown.office.base_administration}),
        conflict=conflict and CONFLICTS.get(conflict.code),
        done=DONE.get(request.query_params.get("done", "")),
        bases=bases_of(runtime, shown),
        twins=twins_of(runtime, caller, shown),
        warning_words=warning_words,
        **copy_of(runtime, shown),
    )


def ordered(runtime: Runtime, shown: RegistrationDetail, language: Language) -> dict[str, Any]:
    """What the order is for and costs; none of it where it is not for sale any more."""
    try:
        quote = runtime.resource(Catalogue).price(shown.package)
    except NotInCatalogue:
        return {"quote": None, "ordered": []}
    return {"quote": quote, "ordered": [line.description(language) for line in quote.lines]}


def bases_of(runtime: Runtime, shown: RegistrationDetail) -> list[tuple[str, str]]:
    """The base administrations that can be copied for a customer of this office."""
    query = (
        select(BaseAdministration)
        .where(col(BaseAdministration.office_code).in_(["", shown.office.code]))
        .order_by(col(BaseAdministration.code))
    )
    with runtime.reading() as session:
        return [(base.code, f"{base.name} ({base.code})") for base in session.exec(query)]


def twins_of(runtime: Runtime, caller: Caller, shown: RegistrationDetail) -> list[Registration]:
    """Sign-ups of the same office that the warning of a likely duplicate names."""
    named = [
        word.strip(".,()")
        for warning in shown.warnings
        if warning.code == "likely_duplicate"
        for word in warning.text.split()
        if word.startswith("S-")
    ]
    if not named:
        return []
    query = select(Registration).where(col(Registration.reference).in_(named))
    with runtime.reading() as session:
        return [twin for twin in session.exec(query) if caller.may_see(twin.office_code)]


def copy_of(runtime: Runtime, shown: RegistrationDetail) -> dict[str, Any]:
    """Of which base administration the customer's own is a copy."""
    with runtime.reading() as session:
        row = session.get_one(Registration, shown.onboarding_id)
        return {"copied_from": row.copied_from, "administration_name": row.administration_name}


def next_to_check(runtime: Runtime, caller: Caller) -> str | None:
    """The sign-up that waits longest for the caller's check."""
    query = select(Registration.onboarding_id).where(
        Registration.status == REVIEW, col(Registration.heard_at).is_not(None)
    )
    if caller.office:
        query = query.where(Registration.office_code == caller.office)
    order = col(Registration.heard_at), col(Registration.onboarding_id)
    with runtime.reading() as session:
        return session.exec(query.order_by(*order).limit(1)).first()
