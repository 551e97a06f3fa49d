"""How the payer's page is shown: by where things stand, with a form that had faults, or expired."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse

from services.billing.confirmation.notices import Documents
from services.billing.pages.payer_link import PayerLink
from services.billing.pages.payer_words import words_for
from services.billing.signing.consent import consent_text, mandate_title
from services.billing.signing.standing import PayerStanding, Stand, standing_of
from shared.base.errors import FieldError, Problem
from shared.base.words import Words
from shared.host.runtime import Runtime
from shared.notifications.senders.outgoing import masked_address
from shared.processing import Now
from shared.trade.calendar import business_day
from shared.web.auth import not_there
from shared.web.pages import (
    FormView,
    PageTemplates,
    fingerprint,
    language_of,
    link_over_page,
    see_other,
)

DONE: Mapping[str, Words] = {
    "signed": Words(
        "Dank u wel, uw handtekening is ontvangen.", "Thank you, your signature has been received."
    ),
    "posted": Words(
        "Dank u wel, wij zien uit naar uw brief.", "Thank you, we look out for your letter."
    ),
    "scan": Words(
        "Dank u wel, uw bestand is ontvangen. Een medewerker bekijkt het en legt de handtekening "
        "vast.",
        "Thank you, your file has been received. A member of staff looks at it and records the "
        "signature.",
    ),
}
FORMS = ("online", "posted", "scan")


class PayerView:
    """Reads how it stands, and shows it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._documents = runtime.resource(Documents)
        self._templates = PageTemplates(Path(__file__).parents[1] / "templates" / "pages")

    def standing(self, link: PayerLink) -> PayerStanding | None:
        """How it stands with the order; None where the link opens it no longer.

        Raises:
            NotFound: there is no such order.
        """
        standing = self._read(link)
        may_enter = link.holder.may_enter(standing.order.links_not_before)
        # That it was withdrawn is all that a link of before still says.
        return standing if may_enter or standing.stand is Stand.WITHDRAWN else None

    def require(self, link: PayerLink) -> PayerStanding:
        """How it stands, for whom the link still opens.

        Raises:
            NotFound: it does not.
        """
        standing = self.standing(link)
        if standing is None:
            raise not_there()
        return standing

    def version(self, link: PayerLink) -> str:
        """Changes when the page is to be shown anew."""
        standing = self.standing(link)
        return fingerprint(standing.version if standing else None)

    def page(
        self, request: Request, link: PayerLink, *, status: int = 200, **forms: FormView
    ) -> HTMLResponse:
        """The page, with a form that had faults among `forms`."""
        standing = self.standing(link)
        if standing is None:
            return self.over(request, link)
        language = language_of(request, standing.language)
        is_fragment = request.headers.get("hx-request") == "true"
        done_what = request.query_params.get("done", "")
        return self.render(
            request,
            "payer/_content.html" if is_fragment else "payer/page.html",
            standing,
            status=status,
            forms={name: forms.get(name, self._blank(name)) for name in FORMS},
            wrong=next(iter(forms.values()), FormView()),
            link=link,
            done=DONE.get(done_what),
            done_what=done_what,
            version=fingerprint(standing.version),
            mandate_title=mandate_title(standing.confirmation, language),
            consent=consent_text(standing.confirmation, language),
        )

    def refused(
        self, request: Request, link: PayerLink, name: str, view: FormView, problem: Problem
    ) -> HTMLResponse:
        """The page again, with why what was posted by this form could not be done.

        Raises:
            Problem: it is none that the payer could do anything about.
        """
        words, language = words_for(problem), language_of(request, self.require(link).language)
        field = next((error.field for error in problem.errors), name)
        error = FieldError(field=field, code=problem.code, message=words.in_(language))
        faulty = FormView(view.values, (error,))
        return self.page(request, link, status=problem.status, **{name: faulty})

    def render(
        self,
        request: Request,
        name: str,
        standing: PayerStanding,
        *,
        status: int = 200,
        **values: Any,
    ) -> HTMLResponse:
        """A page about the order, in the payer's language."""
        return self._templates.page(
            request,
            name,
            status=status,
            language=standing.language,
            standing=standing,
            stand=standing.stand.value,
            masked_address=masked_address(standing.address),
            **values,
        )

    def over(self, request: Request, link: PayerLink, *, is_sent: bool = False) -> HTMLResponse:
        """That the link opens nothing any more, with the offer of a new one."""
        standing = self._read(link)
        to, language = masked_address(standing.address), standing.language
        return link_over_page(request, link.holder, to=to, is_sent=is_sent, language=language)

    def _read(self, link: PayerLink) -> PayerStanding:
        with self.runtime.reading() as session:
            order = link.load(session)
            now = Now(self.runtime.clock())
            standing = standing_of(session, self._documents, order, now)
        if standing is None:
            raise not_there()
        return standing

    def _blank(self, name: str) -> FormView:
        if name != "posted":
            return FormView()
        return FormView.of({"posted_on": business_day(self.runtime.clock()).isoformat()})


def on_to(link: PayerLink, path: str = "", **query: str) -> RedirectResponse:
    """On to the payer's page, or one below it, after a form was taken."""
    return see_other(f"{link.path}{path}", **query)
