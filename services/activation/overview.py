"""The list of all customers, narrowed to those whom somebody looks for."""

from typing import Annotated, Any, Literal

from fastapi import Query
from sqlalchemy import Select, select
from sqlmodel import Session, col

from services.activation.checklist import Actor
from services.activation.customers import SERIES
from services.activation.models import Activation
from services.activation.search import SearchTerm, fold, found_by
from services.activation.seen import COLUMNS, Seen
from shared.base.text import findable
from shared.trade.references import as_reference
from shared.web.auth import Caller
from shared.web.paging import Page

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
BY_WAIT = (col(Activation.since), col(Activation.onboarding_id))
"""Who waits longest for one thing comes first."""


class Search:
    """Which customers somebody looks for: all that is named must hold.

    `blocker` is the code of what they wait for: such a list begins with who waits longest.
    """

    def __init__(
        self,
        q: str | None = None,
        step: StepName | None = None,
        actor: Actor | None = None,
        office: str | None = None,
        blocker: str | None = None,
    ) -> None:
        self._text, self._office, self._blocker = (q or "").strip(), office, blocker
        self._filters = [
            column == value
            for column, value in (
                (col(Activation.step), step),
                (col(Activation.actor), actor),
                (col(Activation.blocker), blocker),
            )
            if value is not None
        ]

    def read(self, session: Session, page: Page, caller: Caller) -> list[Seen]:
        """Those whom the caller may see, in order.

        The newest first; those who wait for one thing as `BY_WAIT` says, those found by text in
        the order of the texts.

        Raises:
            NotFound: they ask for another office's.
        """
        if self._office is not None:
            caller.require_office(self._office)
        office = self._office or caller.office
        if not self._text:
            return self._in_order(session, page, office)
        text = findable(self._text)
        series, stored = as_reference(text)
        rows: list[Seen] = []
        if series in SERIES:
            query = select(*COLUMNS).where(SERIES[series] == stored)
            rows = self._newest(session, page, query, office, part="reference", then="")
        if not fold(text):
            return rows  # Nobody has a name of signs alone.
        by_text = found_by(text, office, *COLUMNS).where(*self._filters)
        order = (col(SearchTerm.term), col(SearchTerm.onboarding_id))
        found = page.read(session, by_text, *order)
        return [*rows, *(Seen(*row[1:]) for row in found)]

    def _in_order(self, session: Session, page: Page, office: str | None) -> list[Seen]:
        if self._blocker is None:
            return self._newest(session, page, select(*COLUMNS), office)
        query = _of_office(select(*COLUMNS).where(*self._filters), office)
        return [Seen(*row) for row in page.read(session, query, *BY_WAIT)]

    def _newest(
        self,
        session: Session,
        page: Page,
        query: Select[*tuple[Any, ...]],
        office: str | None,
        part: str = "",
        then: str | None = None,
    ) -> list[Seen]:
        query = _of_office(query.where(*self._filters), office)
        rows = page.read(session, query, *BY_AGE, descending=True, part=part, then=then)
        return [Seen(*row) for row in rows]


class Wanted(Search):
    """The same, as programs ask for it."""

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
        super().__init__(q, step, actor, office)


def _of_office(query: Select[*tuple[Any, ...]], office: str | None) -> Select[*tuple[Any, ...]]:
    return query if office is None else query.where(col(Activation.office_code) == office)
