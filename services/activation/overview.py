"""The list of all customers, narrowed to those whom somebody looks for."""

from typing import Annotated, Literal

from fastapi import Query
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.activation.checklist import Actor
from services.activation.customers import SERIES
from services.activation.models import Activation
from services.activation.search import SearchTerm, fold, found_by
from shared.web.auth import Caller
from shared.web.paging import Page
from shared.web.references import as_reference

StepName = Literal[
    "INSCHRIJVEN",
    "AANMELDEN",
    "INRICHTEN",
    "BEVESTIGEN",
    "VRIJGEVEN",
    "ACTIVEREN",
    "INLOGGEN",
]
BY_AGE = (col(Activation.heard_at), col(Activation.onboarding_id))


class Wanted:
    """Which customers somebody looks for: all that is named must hold."""

    def __init__(
        self,
        q: Annotated[
            str | None,
            Query(
                max_length=200,
                description="how a word of the company, an e-mail address, a login name, or a "
                "postcode with house number begins; or a whole reference",
            ),
        ] = None,
        step: Annotated[
            StepName | None, Query(description="the first step that waits for somebody")
        ] = None,
        actor: Annotated[Actor | None, Query(description="who must act next")] = None,
        office: Annotated[str | None, Query(max_length=35)] = None,
    ) -> None:
        self._text, self._office = (q or "").strip(), office
        self._filters = [
            column == value
            for column, value in ((col(Activation.step), step), (col(Activation.actor), actor))
            if value is not None
        ]

    def read(self, session: Session, page: Page, caller: Caller) -> list[Activation]:
        """Those whom the caller may see; the newest first, those found by text in its order.

        Raises:
            NotFound: they ask for another office's.
        """
        if self._office is not None:
            caller.require_office(self._office)
        office = self._office or caller.office
        if not self._text:
            return self._newest(session, page, select(Activation), office)
        series, stored = as_reference(self._text)
        rows: list[Activation] = []
        if series in SERIES:
            query = select(Activation).where(SERIES[series] == stored)
            rows = self._newest(session, page, query, office, part="reference")
        if not fold(self._text):
            return rows  # Nobody has a name of signs alone.
        by_text = found_by(self._text, office).where(*self._filters)
        order = (col(SearchTerm.term), col(SearchTerm.onboarding_id))
        pairs = page.read(session, by_text, *order)
        return [*rows, *(activation for _, activation in pairs)]

    def _newest(
        self,
        session: Session,
        page: Page,
        query: SelectOfScalar[Activation],
        office: str | None,
        part: str = "",
    ) -> list[Activation]:
        query = query.where(*self._filters)
        if office is not None:
            query = query.where(Activation.office_code == office)
        return page.read(session, query, *BY_AGE, descending=True, part=part)
