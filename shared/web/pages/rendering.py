"""Pages from jinja2 templates: each text stands in it in both languages, each value is escaped.

A template extends `base.html`, imports `macros.html` with context, and writes its words with
`{{ tr("Nog niet ondertekend", "Not signed yet") }}`; `{name}` in them takes a value, escaped.
Filters: `money` (cents), `day`, `moment`, `iban_tail`, `words` (of a `Words`),
`breakable` (a name or address in a table that `ui.table` did not make).
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse

from shared.trade import formats
from shared.web.auth import Caller
from shared.web.navigation import NavigationEntry
from shared.web.pages.guards import add_page_headers
from shared.web.pages.language import keep_choice, language_of
from shared.web.pages.long_words import breakable
from shared.web.pages.returning import path_to_open
from shared.web.pages.site import site_of
from shared.web.pages.static import address_of
from shared.web.pages.visitors import note_visit, signed_in
from shared.web.scopes import allows

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES = Path(__file__).parents[1] / "templates"


class PageTemplates:
    """The pages of one service, within the frame that all have in common."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def page(
        self,
        request: Request,
        name: str,
        /,
        *,
        status: int = 200,
        language: str | None = None,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """The page or fragment of this name.

        `language` is the person's by what is known of them; what they chose goes before it.
        """
        context = _context(request, language_of(request, language))
        html = self._environment.get_template(name).render({**context, **values})
        response = HTMLResponse(html, status, headers)
        keep_choice(request, response)
        note_visit(request, response)
        add_page_headers(response)
        return response

    @cached_property
    def _environment(self) -> "Environment":
        # It takes long to load; the first who opens a page waits for it.
        from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context

        environment = Environment(
            loader=FileSystemLoader([self._folder, TEMPLATES]),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            # What is absent is nothing to read.
            finalize=lambda value: "" if value is None else value,
        )
        environment.globals |= {"form_key": lambda: str(uuid4()), "static": address_of}
        environment.filters |= {
            name: pass_context(_in_language(filter_))
            for name, filter_ in formats.LANGUAGE_FILTERS.items()
        }
        environment.filters |= {"iban_tail": formats.iban_tail, "breakable": breakable}
        environment.filters["words"] = pass_context(lambda c, words: words.in_(c["lang"]))
        return environment


def see_other(path: str, **query: str) -> RedirectResponse:
    """On to another of our own pages, after a form was taken: a reload posts nothing again."""
    response = RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)
    add_page_headers(response)
    return response


def own_path(path: str | None, default: str = "/") -> str:
    """A path of this site to go on to, as it came in a query; the default for all else.

    What begins with two slashes or a backslash would lead to another site (open redirect).
    """
    if not path or not path.startswith("/") or len(path) > 2000:
        return default
    is_plain = path.isprintable() and "\\" not in path and not path.startswith("//")
    return path if is_plain else default


def _context(request: Request, language: str) -> dict[str, Any]:
    site = site_of(request)
    staff = signed_in(request)
    caller = staff.caller() if staff else None
    return {
        "lang": language,
        "tr": _translator(language),
        "path": request.url.path,
        "other_language": _with_language(request, "nl" if language == "en" else "en"),
        "staff": staff,
        "may": lambda scope: caller is not None and allows(caller.scopes, scope),
        "navigation": _visible(site.navigation, caller),
        "is_embedded": site.is_embedded,
        "is_fragment": request.headers.get("hx-request") == "true",
    }


def _visible(entries: Any, caller: Caller | None) -> list[NavigationEntry]:
    if caller is None:
        return []
    return [entry for entry in entries if allows(caller.scopes, entry.scope)]


def _translator(language: str) -> Callable[..., "Markup"]:
    def tr(nl: str, en: str, **values: object) -> "Markup":
        from markupsafe import Markup

        # The words stand in our own templates; what is put into them is escaped by `format`.
        text = Markup(en if language == "en" else nl)  # noqa: S704
        return text.format(**values) if values else text

    return tr


def _in_language(format_value: Callable[..., str]) -> Callable[..., str]:
    def filter_(context: Any, value: object, *args: object, **options: object) -> str:
        if value is None:
            return ""
        return format_value(value, context["lang"], *args, **options)

    return filter_


def _with_language(request: Request, language: str) -> str:
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return f"{path_to_open(request)}?{urlencode([*query, ('lang', language)])}"


def fingerprint(*parts: object) -> str:
    """A short text that changes when one of the parts does: the version of what a page shows."""
    return sha256(repr(parts).encode()).hexdigest()[:16]
