"""In which language somebody reads: what they chose, else their customer record, else browser."""

from fastapi import Request
from starlette.responses import Response

from shared.events.shapes import Language
from shared.web.pages.site import site_of
from shared.web.preferences import preferences

LANGUAGES: tuple[Language, ...] = ("nl", "en")
COOKIE = "language"
YEAR_SECONDS = 365 * 24 * 3600


def chosen_language(request: Request) -> Language | None:
    """The language that a person chose by the switch on the page, now or before."""
    asked = request.query_params.get("lang") or request.cookies.get(site_of(request).cookie(COOKIE))
    return _known(asked)


def language_of(request: Request, preferred: str | None = None) -> Language:
    """The language of a page; `preferred` is what is known of the person by other ways."""
    return chosen_language(request) or _known(preferred) or _of_browser(request)


def keep_choice(request: Request, response: Response) -> None:
    """Remember the language that was chosen just now."""
    asked = _known(request.query_params.get("lang"))
    if asked is not None:
        site = site_of(request)
        response.set_cookie(
            site.cookie(COOKIE),
            asked,
            max_age=YEAR_SECONDS,
            httponly=True,
            samesite="lax",
            secure=site.is_secure,
        )


def _of_browser(request: Request) -> Language:
    """What the browser would rather have of ours; Dutch where it asks for none."""
    tags = preferences(request.headers.get("accept-language", ""))
    return next(filter(None, map(_known, tags)), "nl")


def _known(tag: str | None) -> Language | None:
    """Ours that a language tag names, whatever its case, region and script (RFC 5646)."""
    asked = (tag or "").lower().partition("-")[0]
    return next((language for language in LANGUAGES if language == asked), None)
