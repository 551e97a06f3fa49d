"""What a person sees when a page cannot be shown, and how they come back to it."""

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.base.errors import Problem
from shared.base.words import Words
from shared.web.pages.forms import read_fields
from shared.web.pages.guards import SAFE_METHODS
from shared.web.pages.rendering import TEMPLATES, PageTemplates, own_path
from shared.web.pages.visitors import SignInNeeded, find_staff
from shared.web.preferences import preferences
from shared.web.problems import as_problem, problem_response, route_of

RENEWAL = "/staff/pass"

_templates = PageTemplates(TEMPLATES)

TITLES = {
    400: Words("Dit kon niet worden gelezen", "This could not be read"),
    403: Words("Dit is niet voor u bestemd", "This is not for you"),
    404: Words("Deze pagina is er niet", "There is no such page"),
    409: Words("Dat kan nu niet", "That is not possible now"),
    413: Words("Dit is te groot", "This is too large"),
    421: Words("U bent bij het verkeerde adres", "You are at the wrong address"),
    422: Words("Er ontbreekt iets", "Something is missing"),
    429: Words("Even geduld", "One moment please"),
    503: Words("Even geduld", "One moment please"),
}
OTHERWISE = Words("Er ging iets mis", "Something went wrong")
SENTENCES = {
    403: Words(
        "U bent aangemeld, maar deze pagina hoort bij een andere rol of een ander kantoor.",
        "You are signed in, but this page belongs to another role or another office.",
    ),
    404: Words(
        "Het adres klopt niet, of wat hier stond hoort bij een ander kantoor.",
        "The address is wrong, or what was here belongs to another office.",
    ),
    429: Words("Er is te vaak geprobeerd. Wacht even.", "Too many tries. Please wait a little."),
    500: Words(
        "Het ligt aan ons en is vastgelegd. Probeer het straks opnieuw.",
        "It is our fault and was recorded. Please try again later.",
    ),
    503: Words(
        "Wij zijn even niet bereikbaar. Er is niets verloren; probeer het zo opnieuw.",
        "We are away for a moment. Nothing is lost; please try again shortly.",
    ),
}

OF_FORMS = {
    "idempotency_key_reused": Words(
        "Dit formulier is al verstuurd, toen met andere gegevens. Open de pagina opnieuw.",
        "This form was sent already, then with other details. Please open the page anew.",
    ),
    "form_key_missing": Words(
        "Dit formulier is niet volledig. Open de pagina opnieuw en probeer het nog eens.",
        "This form is incomplete. Please open the page anew and try again.",
    ),
    "form_malformed": Words(
        "Dit formulier bevat iets dat geen tekst is. Open de pagina opnieuw.",
        "This form holds something that is no text. Please open the page anew.",
    ),
    "another_site": Words(
        "Dit formulier is vanaf een andere website verstuurd. Open onze eigen pagina.",
        "This form was sent from another site. Please open our own page.",
    ),
    "nul_character": Words(
        "Wat u stuurde bevat een teken dat in geen tekst hoort. Begin opnieuw, zonder dat teken.",
        "What you sent holds a character that belongs in no text. Begin again, without it.",
    ),
}
"""By the code of what is wrong with a form, whatever page it is for."""

OF_ADDRESSES = ("invalid", "filter_unknown", "after_unknown")
"""The codes of what cannot be read in an address; their own words are for who writes programs."""
UNREADABLE = Words(
    "Het adres van deze pagina vraagt om iets dat er niet is, of zoekt naar meer dan 200 tekens. "
    "Begin opnieuw, of zoek korter.",
    "The address of this page asks for something that is not there, or searches for more than 200 "
    "characters. Begin again, or search for less.",
)


def show_missing_pages(app: FastAPI) -> None:
    """Have a browser that asks for what is not there shown a page, a program a document."""
    answer = app.exception_handlers[HTTPException]

    async def show(request: Request, error: Exception) -> Response:
        if _wants_page(request):
            await run_in_threadpool(find_staff, request)
            return problem_page(request, as_problem(error, route_of(request)))
        response = answer(request, error)
        return response if isinstance(response, Response) else await response

    app.add_exception_handler(HTTPException, show)


async def answer_refusal(request: Request, refusal: Problem) -> Response:
    """What no route has seen, refused: a page for a browser, a document for a program."""
    has_pages = request.app.state.site is not None and _wants_page(request)
    return problem_page(request, refusal) if has_pages else problem_response(refusal)


def _wants_page(request: Request) -> bool:
    """Whether a browser asks, and not for what is made for programs."""
    is_browser = "text/html" in preferences(request.headers.get("accept", ""))
    return is_browser and not request.url.path.startswith("/api")


async def failure_page(request: Request, error: Exception) -> Response:
    """The page for a failure; whoever must sign in is sent to do so, and comes back."""
    if isinstance(error, SignInNeeded):
        try:
            return await _to_renewal(request)
        except (Problem, HTTPException) as unreadable:
            error = unreadable
    return problem_page(request, as_problem(error, route_of(request)))


def problem_page(request: Request, problem: Problem) -> Response:
    """The page for a problem, with the sentence for its status or its own."""
    told = OF_FORMS.get(problem.code) or _of_address(request, problem)
    page = _templates.page(
        request,
        "failure.html",
        status=problem.status,
        title=TITLES.get(400 if told else problem.status, OTHERWISE),
        sentence=told or SENTENCES.get(problem.status),
        errors=() if told else problem.errors,
        begin=_beginning(request) if told else None,
        problem=problem,
    )
    if "retry_after" in problem.extra:
        page.headers["Retry-After"] = str(problem.extra["retry_after"])
    return page


def _of_address(request: Request, problem: Problem) -> Words | None:
    """What to tell a person of an address that cannot be read, if that is what is wrong."""
    if request.method not in SAFE_METHODS or problem.code not in OF_ADDRESSES:
        return None
    return UNREADABLE if request.url.query else SENTENCES[404]


def _beginning(request: Request) -> str | None:
    """The same page without what was asked of it; none where nothing was, or for a form."""
    path = own_path(request.url.path)
    return path if request.method in SAFE_METHODS and request.url.query else None


async def _to_renewal(request: Request) -> Response:
    """Renew the pass and come back; a form is kept in hand on the way."""
    query = f"?{request.url.query}" if request.url.query else ""
    here = quote(f"{request.url.path}{query}", safe="")
    if request.method in SAFE_METHODS:
        return RedirectResponse(f"{RENEWAL}?next={here}", 303)
    form = await read_fields(request)
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    return _templates.page(
        request, "renewal.html", action=f"{RENEWAL}?next={here}", fields=fields, is_renewed=False
    )
