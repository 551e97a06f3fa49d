"""The webmaster's bench, and KING's: try a document, read what it should hold.

Nothing that is tried here is kept or sent on, so anybody may try.
"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.signup.models import Office
from services.signup.pages.frame import find_office, segment, templates
from services.signup.pages.manual.fields import fields_of
from services.signup.pages.manual.snippets import (
    UNTRIED,
    by_broker,
    example_event,
    example_result,
    example_result_event,
    example_signup,
    signup_snippets,
    snippet,
    written,
)
from services.signup.pages.manual.verdict import Verdict, judge_result, judge_signup
from services.signup.pages.words import PERIODS
from shared.events import CollectionResult, SignupSubmitted
from shared.host.runtime import Runtime
from shared.trade.catalogue import Catalogue
from shared.web.pages import Posted, Words, language_of, site_of

KING = "/try/king-billing"

STATUSES: dict[str, tuple[Words, Words]] = {
    "submitted": (
        Words("De opdracht ligt bij de bank.", "The bank has the order."),
        Words("Er wordt gewacht op de uitkomst.", "The outcome is waited for."),
    ),
    "succeeded": (
        Words("Het hele bedrag is binnen.", "The full amount has come in."),
        Words(
            "De klant wordt vrijgegeven, mits de bevestiging is ondertekend.",
            "The customer is released, provided the confirmation was signed.",
        ),
    ),
    "failed": (
        Words("De bank weigerde de incasso.", "The bank refused the collection."),
        Words(
            "Betaler en kantoor krijgen bericht; Stappenplan plant zo nodig een nieuwe poging.",
            "Payer and office are told; Stappenplan plans another attempt where that helps.",
        ),
    ),
    "returned": (
        Words(
            "De bank van de betaler boekte het bedrag terug.",
            "The payer's bank sent the amount back.",
        ),
        Words(
            "De vrijgave vervalt; Stappenplan plant zo nodig een nieuwe poging.",
            "The release ends; Stappenplan plans another attempt where that helps.",
        ),
    ),
    "refunded": (
        Words("De betaler liet het bedrag terugboeken.", "The payer had the amount paid back."),
        Words(
            "De vrijgave vervalt; een mens neemt contact op.",
            "The release ends; a person gets in touch.",
        ),
    ),
    "reversed": (
        Words("KING boekte het bedrag zelf terug.", "KING paid the amount back itself."),
        Words("De vrijgave vervalt.", "The release ends."),
    ),
}
"""What each status means, and what follows from it."""


def add_pages(routes: APIRouter, runtime: Runtime) -> None:
    """Trying a document, and the page that explains it."""
    _add_king(routes)  # Before the offices: their codes stand at the same place of the path.
    catalogue = runtime.resource(Catalogue)

    @routes.get("/try/{code}")
    def try_signup(request: Request, code: str) -> Response:
        office = find_office(runtime, code)
        return _office_bench(request, office, written(example_event(office.code)))

    @routes.post("/try/{code}")
    def judge_document(request: Request, code: str, form: Posted) -> Response:
        office, text = find_office(runtime, code), form.text("document") or ""
        language = language_of(request, office.language)
        verdict = judge_signup(text, office, catalogue, runtime.clock(), language)
        return _office_bench(request, office, text, verdict)

    @routes.get("/try/{code}/docs")
    def explain_signup(request: Request, code: str) -> Response:
        office = find_office(runtime, code)
        address = _address(request)
        return templates.page(
            request,
            "try-docs.html",
            language=office.language,
            office=office,
            code_segment=segment(office.code),
            address=address,
            frame=snippet("frame", address, segment(office.code)),
            snippets=signup_snippets(address, office.code),
            untried=UNTRIED,
            broker=by_broker(office.code),
            body=written(example_signup(office.code)),
            fields=fields_of(SignupSubmitted),
            catalogue=catalogue,
            periods=PERIODS,
        )


def _add_king(routes: APIRouter) -> None:
    @routes.get(KING)
    def try_result(request: Request) -> Response:
        return _king_bench(request, written(example_result_event()))

    @routes.post(KING)
    def judge_report(request: Request, form: Posted) -> Response:
        text = form.text("document") or ""
        return _king_bench(request, text, judge_result(text, language_of(request)))

    @routes.get(f"{KING}/docs")
    def explain_results(request: Request) -> Response:
        address = _address(request)
        return templates.page(
            request,
            "try-king-docs.html",
            address=address,
            report=snippet("king-curl", address, body=example_result()),
            requests=snippet("king-requests", address),
            event=written(example_result_event()),
            fields=fields_of(CollectionResult),
            statuses=STATUSES,
        )


def _office_bench(
    request: Request, office: Office, document: str, verdict: Verdict | None = None
) -> Response:
    path = f"/try/{segment(office.code)}"
    title = Words("Een inschrijving proberen", "Try a sign-up")
    language = office.language
    return _bench(request, path, title, document, verdict, is_king=False, language=language)


def _king_bench(request: Request, document: str, verdict: Verdict | None = None) -> Response:
    title = Words("Een incassoresultaat proberen", "Try a collection result")
    return _bench(request, KING, title, document, verdict, is_king=True)


def _bench(
    request: Request,
    path: str,
    title: Words,
    document: str,
    verdict: Verdict | None,
    **values: Any,
) -> Response:
    return templates.page(
        request,
        "try.html",
        status=200 if verdict is None or verdict.is_taken else 422,
        page_path=path,
        title=title,
        document=document,
        verdict=verdict,
        **values,
    )


def _address(request: Request) -> str:
    """Where programs reach us: the public address, or the one that was asked."""
    site = site_of(request)
    return site.links.base_url if site.is_public else site.origin(request)
