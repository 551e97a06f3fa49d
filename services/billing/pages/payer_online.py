"""Signing online: fill in, get a code by mail, sign with it."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from services.billing.commands import MailCode, PrepareSigning, SignOnline
from services.billing.confirmation.document import Document
from services.billing.models import OnlineSigning
from services.billing.models.returned import MAX_TRIES
from services.billing.pages.payer_link import PayerLink, follow
from services.billing.pages.payer_view import PayerView, on_to
from services.billing.pages.payer_words import words_for
from services.billing.signing.codes import code_of, fingerprint_of
from services.billing.signing.consent import consent_text
from services.billing.signing.fields import (
    OnlineForm,
    OnlineFormWithAccount,
    field_errors,
    missing,
)
from services.billing.signing.standing import PayerStanding
from shared.base.errors import Conflict, FieldError, Invalid, Problem
from shared.base.words import Words
from shared.host.runtime import Runtime
from shared.processing import Command
from shared.web.auth import not_there
from shared.web.pages import FormView, Posted, PostedForm, language_of

ANSWERED = (Conflict, Invalid)
"""What is said on the page itself."""
WRONG_CODE = Words(
    "Deze code klopt niet. U kunt het nog {n} keer proberen.",
    "This code is not right. You can try {n} more times.",
)
LAST_TRY = Words(
    "Deze code klopt niet. U kunt het nog één keer proberen.",
    "This code is not right. You can try once more.",
)
CODE_OVER = Words(
    "Deze code geldt niet meer. Vraag hieronder een nieuwe.",
    "This code is no longer valid. Ask for a new one below.",
)


def add_online_signing(routes: APIRouter, runtime: Runtime, view: PayerView) -> None:
    """The routes for a signature given online."""
    signing = _Signing(runtime, view)

    @routes.post("/{token}/online")
    def prepare(request: Request, form: Posted) -> Response:
        return signing.prepare(request, follow(runtime, request), form)

    @routes.get("/{token}/online/{signing_id}")
    def ask_for_code(request: Request, signing_id: UUID) -> Response:
        return signing.code_page(request, follow(runtime, request), str(signing_id))

    @routes.post("/{token}/online/{signing_id}")
    def sign(request: Request, signing_id: UUID, form: Posted) -> Response:
        return signing.sign(request, follow(runtime, request), str(signing_id), form)

    @routes.post("/{token}/online/{signing_id}/again")
    def send_again(request: Request, signing_id: UUID, form: Posted) -> Response:
        return signing.send_again(request, follow(runtime, request), str(signing_id), form)


class _Signing:
    """The two pages of a signature: what is signed, and the code for it."""

    def __init__(self, runtime: Runtime, view: PayerView) -> None:
        self._runtime = runtime
        self._view = view

    def prepare(self, request: Request, link: PayerLink, form: PostedForm) -> Response:
        """Take what was filled in, have a code sent, and go on to where it is asked for."""
        standing = self._view.require(link)
        rules = OnlineForm if standing.iban else OnlineFormWithAccount
        language = language_of(request, standing.language)
        try:
            fields = rules.model_validate(form.nested())
        except ValidationError as error:
            faults = field_errors(error, language)
            return self._view.page(request, link, status=422, online=form.view(faults))
        command = _to_prepare(standing, fields, form)
        try:
            self._ask(command, standing, link, form.key)
        except ANSWERED as problem:
            return self._view.refused(request, link, "online", form.view(), problem)
        return on_to(link, f"/online/{command.signing_id}")

    def code_page(
        self,
        request: Request,
        link: PayerLink,
        signing_id: str,
        form: FormView | None = None,
        status: int = 200,
    ) -> Response:
        """Where the code is asked for; once it is signed, the page that says so."""
        standing = self._view.standing(link)
        if standing is None:
            return self._view.page(request, link)
        signing = self._load(standing, signing_id)
        if signing.signed_at is not None or not standing.can_sign:
            return on_to(link)
        return self._view.render(
            request,
            "payer/code.html",
            standing,
            status=status,
            link=link,
            signing=signing,
            form=form or FormView(),
            is_sent_again=request.query_params.get("done") == "again",
        )

    def sign(
        self, request: Request, link: PayerLink, signing_id: str, form: PostedForm
    ) -> Response:
        """Sign with the code; what became of it, the signature itself tells."""
        standing = self._view.require(link)
        self._load(standing, signing_id)
        language = language_of(request, standing.language)
        code = code_of(form.text("code"))
        if code is None:
            faulty = form.view([missing("code", language)])
            return self.code_page(request, link, signing_id, faulty, 422)
        try:
            self._try(code, signing_id, standing, link, form.key)
        except ANSWERED as problem:
            return self._refused(request, link, signing_id, problem)
        signing = self._load(standing, signing_id)
        if signing.signed_at is not None:
            return on_to(link, done="signed")
        faulty = FormView(errors=(self._fault(signing, language),))
        return self.code_page(request, link, signing_id, faulty, 422)

    def _try(
        self, code: str, signing_id: str, standing: PayerStanding, link: PayerLink, key: str
    ) -> None:
        code_hash = fingerprint_of(code, signing_id, self._runtime.settings)
        command = SignOnline(
            order_reference=standing.order.reference or "",
            signing_id=signing_id,
            code_hash=code_hash,
            address=link.address,
            user_agent=link.user_agent[:300],
        )
        # Another code in a form that was gone back to is another try.
        self._ask(command, standing, link, f"{key}/{code_hash}")

    def send_again(
        self, request: Request, link: PayerLink, signing_id: str, form: PostedForm
    ) -> Response:
        """Have another code sent."""
        standing = self._view.require(link)
        command = MailCode(order_reference=standing.order.reference or "", signing_id=signing_id)
        try:
            self._ask(command, standing, link, form.key)
        except ANSWERED as problem:
            return self._refused(request, link, signing_id, problem)
        return on_to(link, f"/online/{signing_id}", done="again")

    def _ask(self, command: Command, standing: PayerStanding, link: PayerLink, key: str) -> None:
        order = standing.order
        self._runtime.handle(command, subject=order.onboarding_id, by=link.person(order), key=key)

    def _load(self, standing: PayerStanding, signing_id: str) -> OnlineSigning:
        with self._runtime.reading() as session:
            signing = session.get(OnlineSigning, signing_id)
        if signing is None or signing.onboarding_id != standing.order.onboarding_id:
            raise not_there()
        return signing

    def _fault(self, signing: OnlineSigning, language: str) -> FieldError:
        left = MAX_TRIES - signing.tries
        words = LAST_TRY if left == 1 else WRONG_CODE
        if not signing.takes(self._runtime.clock()):
            words = CODE_OVER
        message = words.in_(language).format(n=left)
        return FieldError(field="code", code="code_wrong", message=message)

    def _refused(
        self, request: Request, link: PayerLink, signing_id: str, problem: Problem
    ) -> Response:
        language = language_of(request, self._view.require(link).language)
        message = words_for(problem).in_(language)
        fault = FieldError(field="code", code=problem.code, message=message)
        faulty = FormView(errors=(fault,))
        return self.code_page(request, link, signing_id, faulty, problem.status)


def _to_prepare(standing: PayerStanding, fields: OnlineForm, form: PostedForm) -> PrepareSigning:
    """What is to be signed: the text that stood on the page, in the language in which it stood."""
    shown_in = "en" if form.text("shown_in") == "en" else "nl"
    # An account that is known already is nobody's to change here.
    is_account_asked = standing.iban is None
    return PrepareSigning(
        order_reference=standing.order.reference or "",
        signing_id=form.id_for(standing.order.onboarding_id),
        name=fields.signed_by,
        place=fields.place,
        iban=fields.iban if is_account_asked else None,
        account_holder=fields.account_holder if is_account_asked else None,
        consent=consent_text(standing.confirmation, shown_in),
        document_sha256=Document.of(standing.confirmation).sha256,
    )
