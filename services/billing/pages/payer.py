"""The payer's page: the document, what his bank wants, and the ways to return it signed."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.billing.confirmation.download import as_pdf
from services.billing.confirmation.notices import Documents
from services.billing.pages.payer_link import PayerLink, follow, send_link
from services.billing.pages.payer_online import add_online_signing
from services.billing.pages.payer_paper import add_paper
from services.billing.pages.payer_view import PayerView, on_to
from services.billing.signing.standing import Stand
from shared.host.runtime import Runtime
from shared.web.auth import not_there
from shared.web.pages import (
    EventSourceResponse,
    Posted,
    ServerSentEvent,
    changes,
    pages_router,
)


def payer_pages(runtime: Runtime) -> APIRouter:
    """The pages behind the link in the payer's mail. None of them changes anything by a GET."""
    routes = pages_router(prefix="/sign")
    view = PayerView(runtime)
    _add_page(routes, view)
    _add_document(routes, runtime, view)
    add_online_signing(routes, runtime, view)
    add_paper(routes, runtime, view)
    _add_new_link(routes, runtime, view)
    return routes


def _add_page(routes: APIRouter, view: PayerView) -> None:
    @routes.get("/{token}")
    def show(request: Request) -> Response:
        return view.page(request, follow(view.runtime, request))

    def known_link(request: Request) -> PayerLink:
        # Before the stream begins: what is refused within it was answered with 200 already.
        link = follow(view.runtime, request)
        view.standing(link)
        return link

    @routes.get("/{token}/changes", response_class=EventSourceResponse)
    async def show_changes(
        request: Request, link: Annotated[PayerLink, Depends(known_link)]
    ) -> AsyncIterator[ServerSentEvent]:
        async for event in changes(request, lambda: view.version(link)):
            yield event


def _add_document(routes: APIRouter, runtime: Runtime, view: PayerView) -> None:
    documents = runtime.resource(Documents)

    @routes.get("/{token}/confirmation.pdf")
    def download(request: Request) -> Response:
        link = follow(runtime, request)
        standing = view.standing(link)
        if standing is None or standing.stand is Stand.WITHDRAWN:
            raise not_there()
        with runtime.reading() as session:
            confirmation = documents.confirmation_of(session, link.load(session))
        return as_pdf(confirmation, "attachment")


def _add_new_link(routes: APIRouter, runtime: Runtime, view: PayerView) -> None:
    @routes.post("/{token}/new-link")
    def ask_for_link(request: Request, _form: Posted) -> Response:
        link = follow(runtime, request)
        if view.standing(link) is not None:
            return on_to(link)  # It still opens.
        send_link(runtime, link)
        return view.over(request, link, is_sent=True)
