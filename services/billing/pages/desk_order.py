"""One order at the desk: the paper is compared and recorded, or what was recorded taken back."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from services.billing.confirmation.download import as_pdf
from services.billing.confirmation.notices import SCANNED, Documents
from services.billing.orders import load_order
from services.billing.pages.desk import Reader, templates
from services.billing.pages.desk_view import (
    DeskOrder,
    order_story,
    order_version,
    read_order,
)
from services.billing.pages.desk_words import (
    AGAINST_RULES,
    DOCUMENT,
    FIELDS,
    METHODS,
    MISSING,
    PART,
    REFUSALS,
    STAGES,
    UNDONE_AT_ONCE,
    WRONG,
)
from services.billing.recording import Signature, Slip, record_signature, take_back_signature
from services.billing.signing.fields import Iban, field_errors
from shared.base.errors import Conflict, FieldError, Invalid
from shared.host.parts import part_page
from shared.host.runtime import Runtime
from shared.trade.calendar import business_day
from shared.web.auth import Caller
from shared.web.pages import (
    EventSourceResponse,
    FormView,
    Posted,
    PostedForm,
    ServerSentEvent,
    Words,
    changes,
    language_of,
    pages_router,
    see_other,
    staff_with,
)
from shared.web.references import Reference

BackOffice = Annotated[Caller, Depends(staff_with("orders:confirm"))]
PAPER_METHODS = ("post", "fax", "scan")


class Paper(Signature):
    """A signed confirmation that lies on the desk."""

    method: Literal["post", "fax", "scan"]


class PaperWithAccount(Paper):
    """The same where no account is known that may be collected from."""

    iban: Iban


def order_pages(runtime: Runtime) -> APIRouter:
    """The page of an order, what belongs to it, and what is done there."""
    routes = pages_router(prefix="/orders")
    screen = OrderScreen(runtime)
    _add_reading(routes, runtime, screen)
    _add_recording(routes, runtime, screen)
    return routes


class OrderScreen:
    """Shows one order, with a form that had faults, or with what stands in the way."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def show(
        self,
        request: Request,
        caller: Caller,
        reference: str,
        name: str = "desk/order.html",
        *,
        status: int = 200,
        paper: FormView | None = None,
        slip: FormView | None = None,
        conflict: Conflict | None = None,
    ) -> Response:
        """The page of an order, or a fragment of it."""
        desk, language = read_order(self._runtime, caller, reference), language_of(request)
        return templates.page(
            request,
            name,
            status=status,
            paper=paper or self._blank(request, desk),
            slip=slip or FormView(),
            conflict=_words_for(conflict) if conflict else None,
            today=self._today(),
            entries=order_story(self._runtime, desk.order, language),
            version=order_version(self._runtime, caller, desk.order.onboarding_id),
            **_in_words(request, desk),
        )

    def _today(self) -> str:
        return business_day(self._runtime.clock()).isoformat()

    def _blank(self, request: Request, desk: DeskOrder) -> FormView:
        """The form as it begins: signed today, and come in as the paper before it did."""
        method = request.query_params.get("method") or ("scan" if desk.returned.scans else "post")
        return FormView.of({"method": method, "signed_on": self._today()})


def _in_words(request: Request, desk: DeskOrder) -> dict[str, Any]:
    """An order for its templates: what it is, how it stands, and why it stays as it is."""
    language, (words, tone) = language_of(request), STAGES[desk.order.stage]
    return {
        "desk": desk,
        "order": desk.order,
        "standing": desk.standing,
        "returned": desk.returned,
        "stage": words,
        "tone": tone,
        "labels": {field: label.in_(language) for field, label in FIELDS.items()},
        "methods": [(how, METHODS[how].in_(language), None) for how in PAPER_METHODS],
        "attempts": desk.attempts(language),
        "scan": FormView(),
        "is_taken_back": request.query_params.get("done") == "taken_back",
        "signed_how": METHODS.get(desk.order.signature_method or ""),
        "kept": _words_for(desk.kept) if desk.kept else None,
        "covered_by": desk.kept.extra.get("paper") if desk.kept else None,
    }


def _add_reading(routes: APIRouter, runtime: Runtime, screen: OrderScreen) -> None:
    documents = runtime.resource(Documents)

    def visible(reference: Reference, caller: Reader) -> str:
        """Its reference, once it is sure that the caller may see it: a stream cannot refuse."""
        with runtime.reading() as session:
            return load_order(session, caller, documents.reference_of(reference)).reference or ""

    @routes.get("/{reference}")
    def show(request: Request, reference: Reference, caller: Reader) -> Response:
        return screen.show(request, caller, reference)

    @routes.get("/{reference}/standing")
    def show_standing(request: Request, reference: Reference, caller: Reader) -> Response:
        return screen.show(request, caller, reference, _fragment(request, "desk/_standing.html"))

    @routes.get("/{reference}/story")
    def show_story(request: Request, reference: Reference, caller: Reader) -> Response:
        return screen.show(request, caller, reference, _fragment(request, "desk/_story.html"))

    @routes.get("/{reference}/changes", response_class=EventSourceResponse)
    async def show_changes(
        request: Request, caller: Reader, named: Annotated[str, Depends(visible)]
    ) -> AsyncIterator[ServerSentEvent]:
        async for event in changes(request, lambda: order_version(runtime, caller, named)):
            yield event

    _add_papers(routes, runtime)


def _add_papers(routes: APIRouter, runtime: Runtime) -> None:
    documents = runtime.resource(Documents)

    @routes.get("/{reference}/confirmation.pdf")
    def show_confirmation(reference: Reference, caller: Reader) -> Response:
        with runtime.reading() as session:
            order = load_order(session, caller, documents.reference_of(reference))
            confirmation = documents.confirmation_of(session, order)
        return as_pdf(confirmation, "inline")

    @routes.get("/{reference}/part")
    def show_part(request: Request, reference: Reference, caller: Reader) -> Response:
        with runtime.reading() as session:
            order = load_order(session, caller, documents.reference_of(reference))
        path = f"/orders/{order.reference}"
        return part_page(
            templates,
            request,
            order.onboarding_id,
            title=PART,
            entries=order_story(runtime, order, language_of(request)),
            links=[(path, _named(order.reference)), (f"{path}/confirmation.pdf", DOCUMENT)],
        )


def _add_recording(routes: APIRouter, runtime: Runtime, screen: OrderScreen) -> None:
    documents = runtime.resource(Documents)

    @routes.post("/{reference}/signature")
    def record(
        request: Request, reference: Reference, caller: BackOffice, form: Posted
    ) -> Response:
        language, named = language_of(request), documents.reference_of(reference)
        try:
            is_known = read_order(runtime, caller, named).account is not None
            paper = _read(form, Paper if is_known else PaperWithAccount)
            answer = record_signature(runtime, caller, named, paper, form.key)
        except (ValidationError, Invalid) as refusal:
            faults = _faults(refusal, language)
            return screen.show(request, caller, named, status=422, paper=form.view(faults))
        except Conflict as conflict:
            return screen.show(
                request, caller, named, status=409, paper=form.view(), conflict=conflict
            )
        return see_other("/orders", recorded=answer.order_reference, method=paper.method)

    @routes.post("/{reference}/signature/withdraw")
    def take_back(
        request: Request, reference: Reference, caller: BackOffice, form: Posted
    ) -> Response:
        language, named = language_of(request), documents.reference_of(reference)
        try:
            # Whoever undoes it at once, on the page that follows, has given the reason by that.
            at_once = UNDONE_AT_ONCE.in_(language) if form.checked("at_once") else None
            reason = at_once or form.text("reason")
            slip = Slip.model_validate({"reason": reason} if reason else {})
            answer = take_back_signature(runtime, caller, named, slip, form.key)
        except ValidationError as refusal:
            faults = field_errors(refusal, language, absent=MISSING, wrong=WRONG)
            return screen.show(request, caller, named, status=422, slip=form.view(faults))
        except Conflict as conflict:
            return screen.show(
                request, caller, named, status=409, slip=form.view(), conflict=conflict
            )
        return see_other(f"/orders/{answer.order_reference}", done="taken_back")


def _read(form: PostedForm, kind: type[Paper]) -> Paper:
    """The paper as it was typed over.

    Raises:
        ValidationError: a field is empty, or cannot be what it is for.
        Invalid: the scanner typed a code where the name belongs.
    """
    if SCANNED.search((form.text("signed_by") or "").upper()):
        message = "This is the code of a confirmation, not a name."
        error = FieldError(field="signed_by", code="code_for_name", message=message)
        raise Invalid("code_for_name", message, errors=[error])
    typed = {name: form.text(name) for name in kind.model_fields}
    return kind.model_validate({name: text for name, text in typed.items() if text is not None})


def _faults(refusal: ValidationError | Invalid, language: str) -> Sequence[FieldError]:
    """What is wrong with each field, in the clerk's language."""
    if isinstance(refusal, ValidationError):
        return field_errors(refusal, language, absent=MISSING, wrong=WRONG)
    return [
        error.model_copy(update={"message": AGAINST_RULES[error.code].in_(language)})
        for error in refusal.errors
    ]


def _words_for(conflict: Conflict) -> Words:
    """The sentence for what stands in the way.

    Raises:
        Conflict: it is none that anybody could do anything about on this page.
    """
    if conflict.code not in REFUSALS:
        raise conflict
    return REFUSALS[conflict.code]


def _fragment(request: Request, name: str) -> str:
    """The fragment alone where the page fetches it, else the page that it is in."""
    return name if request.headers.get("hx-request") == "true" else "desk/order.html"


def _named(reference: str | None) -> Words:
    return Words(f"Order {reference}", f"Order {reference}")
