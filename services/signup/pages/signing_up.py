"""The sign-up form of an office: fill in, check the answers, send them, thanks."""

from functools import cached_property
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.signup.form.validation import LINK
from services.signup.mails import TOO_MANY
from services.signup.models import Signup
from services.signup.pages.frame import CUSTOMER, find_office, segment, templates
from services.signup.pages.signup_form import (
    MAIL_FIELDS,
    Answers,
    bank_words,
    countries,
    is_being_checked,
    page_errors,
    quote_of,
    read_answers,
    with_meant,
    without_acceptance,
)
from services.signup.pages.words import CHANNELS, CHOSEN, FIELDS, LANGUAGES, LEGAL_FORMS, PERIODS
from services.signup.submission import submit
from shared.base.errors import Invalid
from shared.events.shapes import Language
from shared.host.runtime import Runtime
from shared.links import Purpose
from shared.processing import Person
from shared.trade.catalogue import Catalogue
from shared.trade.form.hints import likely_meant
from shared.web.auth import not_there
from shared.web.pages import (
    FormView,
    Posted,
    PostedForm,
    holder_of,
    language_of,
    policy,
    see_other,
    site_of,
)


class Visit:
    """Somebody at the sign-up form of one office."""

    def __init__(self, runtime: Runtime, request: Request, code: str) -> None:
        self.runtime, self.request = runtime, request
        self.office = find_office(runtime, code)
        self.catalogue = runtime.resource(Catalogue)

    @cached_property
    def language(self) -> Language:
        """The office's, unless another was chosen."""
        return language_of(self.request, self.office.language)

    @property
    def person(self) -> Person:
        """Whoever fills it in, for the record of acts."""
        address = self.request.client.host if self.request.client else ""
        return Person(CUSTOMER, self.office.code, address)

    @property
    def path(self) -> str:
        """Where the form is."""
        return f"/signup/{segment(self.office.code)}"

    @property
    def language_query(self) -> str:
        """The language that was chosen here, to go along: a frame keeps no cookie of ours."""
        return f"?lang={self.language}" if "lang" in self.request.query_params else ""

    def page(self, name: str, *, status: int = 200, **values: Any) -> Response:
        """A page for this office's customers, which its own sites may show in a frame."""
        ancestors = " ".join(self.office.sites) or "'none'"
        return templates.page(
            self.request,
            name,
            status=status,
            language=self.language,
            headers={"Content-Security-Policy": policy(frame_ancestors=ancestors)},
            office=self.office,
            branding=self.office.public().model_dump(),
            form_path=self.path,
            lang_query=self.language_query,
            periods=PERIODS,
            terms=self.catalogue.terms,
            **values,
        )

    def empty_form(self) -> Response:
        """The form, with what is so for nearly everybody chosen already."""
        likely = {
            "customer.address.country": "NL",
            "customer.language": self.language,
            "payer.kind": "customer",
        }
        return self.form(FormView.of(likely))

    def form(self, form: FormView) -> Response:
        """The form as it was filled in so far."""
        code = form.value("package.code")
        bank, bank_trouble = bank_words(form.value("payer.iban"), self.language)
        return self.page(
            "signup.html",
            status=422 if form.errors else 200,
            form=form,
            labels={name: words.in_(self.language) for name, words in FIELDS.items()},
            names={name: words.in_(self.language) for name, words in (FIELDS | CHOSEN).items()},
            catalogue=self.catalogue,
            legal_forms=[(form, words.in_(self.language)) for form, words in LEGAL_FORMS.items()],
            languages=[(code, words.in_(self.language)) for code, words in LANGUAGES.items()],
            countries=countries(self.language),
            quote=quote_of(self.catalogue, code, form.values.get("package.modules", ())),
            meant={name: likely_meant(form.value(name)) for name in MAIL_FIELDS},
            bank=bank,
            bank_trouble=None if form.error("payer.iban") else bank_trouble,
        )

    def answers(self, form: PostedForm) -> Answers:
        """What was filled in, checked."""
        return read_answers(form, self.office, self.catalogue, self.runtime.clock(), self.language)

    def check(self, form: PostedForm) -> Response:
        """The answers to be checked, or the form where something is wrong with them."""
        answers = self.answers(form)
        signup = answers.checked.submitted
        if answers.errors or signup is None:
            return self.form(without_acceptance(form).view(answers.errors))
        bank, bank_trouble = bank_words(signup.payer.iban, self.language)
        return self.page(
            "signup-check.html",
            signup=signup,
            carried=list(answers.carried(form)),
            quote=self.catalogue.price(signup.package),
            legal_forms=LEGAL_FORMS,
            languages=LANGUAGES,
            channels=CHANNELS,
            country=dict(countries(self.language)).get(signup.customer.address.country),
            meant={
                "customer.email": likely_meant(signup.customer.email),
                "payer.email": likely_meant(signup.payer.email or ""),
            },
            bank=bank,
            bank_trouble=bank_trouble,
        )

    def send(self, form: PostedForm) -> Response:
        """Sign up, once however often it is sent; then thanks, on a page that can be reloaded."""
        answers = self.answers(form)
        if answers.errors:
            return self.form(without_acceptance(form).view(answers.errors))
        try:
            onboarding_id, accepted = submit(
                self.runtime, answers.data, by=self.person, key=form.key
            )
        except Invalid as refusal:
            if not refusal.errors:
                raise
            errors = [*page_errors(refusal.errors, self.language)]
            return self.form(without_acceptance(form).view(errors))
        links = site_of(self.request).links
        path = links.path(Purpose.STATUS, str(onboarding_id), accepted.submitted_at)
        return see_other(f"{self.path}/thanks/{path.rpartition('/')[2]}{self.language_query}")

    def thanks(self, token: str) -> Response:
        """What was signed up, by the link to its status page, and what happens next."""
        links, now = site_of(self.request).links, self.runtime.clock()
        holder = holder_of(links, Purpose.STATUS, token, now)
        if holder.is_expired:
            return see_other(f"/{Purpose.STATUS}/{token}")  # There a new link is offered.
        with self.runtime.reading() as session:
            signup = session.get(Signup, holder.onboarding_id)
        is_known = signup is not None and signup.contents_are_final
        if signup is None or not is_known or signup.office_code != self.office.code:
            raise not_there()
        if not holder.may_enter(signup.links_from):
            return see_other(f"/{Purpose.STATUS}/{token}")
        return self.page(
            "signup-thanks.html",
            signup=signup.acceptance(),
            status_path=f"/{Purpose.STATUS}/{token}",
            is_mailed=not {TOO_MANY, LINK} & signup.unreviewed,
        )


def add_pages(routes: APIRouter, runtime: Runtime) -> None:
    """The sign-up form, its parts that change while it is filled in, and the thanks."""

    @routes.get("/signup/{code}")
    def open_form(request: Request, code: str) -> Response:
        return Visit(runtime, request, code).empty_form()

    @routes.post("/signup/{code}")
    def post_form(request: Request, code: str, form: Posted) -> Response:
        visit, step = Visit(runtime, request, code), form.text("step")
        if step == "send":
            return visit.send(form)
        filled = with_meant(without_acceptance(form), form.text("adopt"))
        if step == "edit" or (filled.checked("adopt") and not is_being_checked(form)):
            return visit.form(filled.view())
        return visit.check(filled)

    @routes.get("/signup/{code}/thanks/{token}")
    def thank(request: Request, code: str, token: str) -> Response:
        return Visit(runtime, request, code).thanks(token)

    @routes.get("/signup/{code}/terms")
    def show_terms(request: Request, code: str) -> Response:
        visit = Visit(runtime, request, code)
        return visit.page("signup-terms.html", catalogue=visit.catalogue)

    @routes.get("/signup/{code}/price")
    def show_price(request: Request, code: str) -> Response:
        visit, chosen = Visit(runtime, request, code), request.query_params
        modules = chosen.getlist("package.modules")
        quote = quote_of(visit.catalogue, chosen.get("package.code"), modules)
        return visit.page("signup-price.html", quote=quote)

    @routes.post("/signup/{code}/bank")
    def show_bank(request: Request, code: str, form: Posted) -> Response:
        visit = Visit(runtime, request, code)
        bank, trouble = bank_words(form.text("payer.iban"), visit.language)
        return visit.page("signup-bank.html", bank=bank, bank_trouble=trouble)

    @routes.post("/signup/{code}/hint/{field}")
    def show_hint(request: Request, code: str, field: str, form: Posted) -> Response:
        if field not in MAIL_FIELDS:
            raise not_there()
        meant = likely_meant(form.text(field) or "")
        return Visit(runtime, request, code).page("signup-hint.html", field=field, address=meant)
