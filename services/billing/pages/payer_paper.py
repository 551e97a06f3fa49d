"""The ways of paper: the payer says that it was posted, or sends a scan of it."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from services.billing.commands import NotePosted
from services.billing.models import Order
from services.billing.pages.payer_link import PayerLink, follow
from services.billing.pages.payer_view import PayerView, on_to
from services.billing.signing.fields import PostedForm as PostedFields
from services.billing.signing.fields import field_errors, missing
from services.billing.signing.scans import MAX_SCAN_BYTES, SMALLER, keep_scan, place_to_store
from shared.base.errors import Conflict, Invalid, TooLarge, Unavailable
from shared.host.runtime import Runtime
from shared.web.pages import FormView, Posted, PostedForm, language_of, reads_form

ANSWERED = (Conflict, Invalid, Unavailable)
"""What is said on the page itself."""
_read_form_with_file = reads_form(max_files=1)


def add_paper(routes: APIRouter, runtime: Runtime, view: PayerView) -> None:
    """The routes for a signed paper."""

    @routes.post("/{token}/posted")
    def note_posted(request: Request, form: Posted) -> Response:
        link = follow(runtime, request)
        standing = view.require(link)
        try:
            fields = PostedFields.model_validate(form.nested())
        except ValidationError as error:
            faults = field_errors(error, language_of(request, standing.language))
            return view.page(request, link, status=422, posted=form.view(faults))
        order = standing.order
        command = NotePosted(order_reference=order.reference or "", posted_on=fields.posted_on)
        try:
            runtime.handle(
                command, subject=order.onboarding_id, by=link.person(order), key=form.key
            )
        except ANSWERED as problem:
            return view.refused(request, link, "posted", form.view(), problem)
        return on_to(link, done="posted")

    @routes.post("/{token}/scan")
    async def take_scan(request: Request) -> Response:
        link = follow(runtime, request)
        # The link is read before the form: whoever has none need not send ten megabytes.
        standing = await run_in_threadpool(view.require, link)
        try:
            form = await _read_form_with_file(request)
            try:
                await run_in_threadpool(_keep, runtime, standing.order, link, form)
            finally:
                await form.data.close()
        except _NoFile:
            fault = missing("scan", language_of(request, standing.language))
            faulty = FormView(errors=(fault,))
            return await run_in_threadpool(view.page, request, link, status=422, scan=faulty)
        except (*ANSWERED, TooLarge) as problem:
            answered = Invalid("scan_too_large", SMALLER) if problem.status == 413 else problem
            return await run_in_threadpool(
                view.refused, request, link, "scan", FormView(), answered
            )
        return on_to(link, done="scan")


class _NoFile(Exception):
    """No file was chosen."""


def _keep(runtime: Runtime, order: Order, link: PayerLink, form: PostedForm) -> None:
    """Keep the file that was sent; one scan is in memory while it is stored, and few at a time."""
    upload = form.upload("scan")
    if upload is None:
        raise _NoFile
    with place_to_store():
        content, scan_id = upload.file.read(MAX_SCAN_BYTES + 1), form.id_for(order.onboarding_id)
        runtime.write(
            lambda context: keep_scan(context, order.onboarding_id, scan_id, content),
            subject=order.onboarding_id,
            by=link.person(order),
        )
