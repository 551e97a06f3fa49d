"""The customer withdraws, by a link from a mail: first what stops, then the button."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from services.signup.commands import SendWithdrawLink
from services.signup.models import ACCEPTED, COMPLETED, DECLINED, WITHDRAWN, Signup
from services.signup.pages.frame import CUSTOMER, templates
from services.signup.pages.words import REASON_TROUBLE
from services.signup.withdrawal import WithdrawBody, withdraw
from shared.base.errors import Conflict, FieldError
from shared.events.shapes import Language
from shared.host.runtime import Runtime
from shared.links import PageLinks, Purpose
from shared.notifications.senders.outgoing import masked_address
from shared.processing import Person
from shared.web.auth import not_there
from shared.web.pages import (
    FormView,
    Posted,
    PostedForm,
    holder_of,
    language_of,
    link_over_page,
    see_other,
    site_of,
)


class Farewell:
    """A customer at the page where they can withdraw."""

    def __init__(self, runtime: Runtime, request: Request, token: str) -> None:
        self.runtime, self.request = runtime, request
        self.holder = holder_of(self._links, Purpose.WITHDRAW, token, self._now)
        with runtime.reading() as session:
            signup = session.get(Signup, self.holder.onboarding_id)
        if signup is None or not signup.contents_are_final:
            raise not_there()
        self.signup = signup
        self.known = signup.acceptance()

    @property
    def may_enter(self) -> bool:
        """Whether the link still holds."""
        return self.holder.may_enter(self.signup.links_from)

    @property
    def language(self) -> Language:
        """The customer's, unless another was chosen."""
        return language_of(self.request, self.known.customer.language)

    @property
    def person(self) -> Person:
        """Whoever holds the link, for the record of acts."""
        address = self.request.client.host if self.request.client else ""
        return Person(CUSTOMER, self.signup.office_code, address)

    def page(self, form: FormView | None = None, *, status: int = 200, **values: Any) -> Response:
        """How the sign-up stands, and what there is to stop."""
        return templates.page(
            self.request,
            "withdraw.html",
            status=status,
            language=self.language,
            page_path=f"/{Purpose.WITHDRAW}/{self.holder.token}",
            form=form or FormView(),
            known=self.known,
            branding=self.known.office.model_dump(),
            is_open=self.signup.status in (ACCEPTED, COMPLETED),
            is_at_work=self.signup.logged_in_at is not None,
            is_withdrawn=self.signup.status == WITHDRAWN,
            is_declined=self.signup.status == DECLINED,
            **values,
        )

    def over(self, *, is_sent: bool = False) -> Response:
        """What to do where the link holds no longer."""
        to = masked_address(self.known.customer.email)
        return link_over_page(
            self.request, self.holder, to=to, is_sent=is_sent, language=self.language
        )

    def withdraw(self, form: PostedForm) -> Response:
        """Stop it; then show that it has stopped, by a link that holds from now on."""
        try:
            reason = form.text("reason")
            body = WithdrawBody(reason=reason) if reason else WithdrawBody()
        except ValidationError:
            trouble = REASON_TROUBLE.in_(self.language)
            error = FieldError(field="reason", code="reason_invalid", message=trouble)
            return self.page(form.view([error]), status=422)
        try:
            withdraw(self.runtime, self.signup, body, by=self.person, key=form.key)
        except Conflict:
            # It was stopped meanwhile, by this customer in another window or by the office.
            return see_other(f"/{Purpose.WITHDRAW}/{self.holder.token}")
        return see_other(self._links.path(Purpose.WITHDRAW, self.holder.onboarding_id, self._now))

    def send_link(self, form: PostedForm) -> Response:
        """Send a new link to the address that is known; the answer is the same if none leaves."""
        subject = self.holder.onboarding_id
        self.runtime.handle(SendWithdrawLink(), subject=subject, by=self.person, key=form.key)
        return self.over(is_sent=True)

    @property
    def _now(self) -> datetime:
        return self.runtime.clock()

    @property
    def _links(self) -> PageLinks:
        return site_of(self.request).links


def add_pages(routes: APIRouter, runtime: Runtime) -> None:
    """The page, what its button does, and a new link. Opening it changes nothing."""

    @routes.get("/withdraw/{token}")
    def open_page(request: Request, token: str) -> Response:
        visit = Farewell(runtime, request, token)
        return visit.page() if visit.may_enter else visit.over()

    @routes.post("/withdraw/{token}")
    def stop(request: Request, token: str, form: Posted) -> Response:
        visit = Farewell(runtime, request, token)
        return visit.withdraw(form) if visit.may_enter else visit.over()

    @routes.post("/withdraw/{token}/new-link")
    def send_link(request: Request, token: str, form: Posted) -> Response:
        visit = Farewell(runtime, request, token)
        if visit.may_enter:
            return see_other(f"/{Purpose.WITHDRAW}/{token}")
        return visit.send_link(form)
