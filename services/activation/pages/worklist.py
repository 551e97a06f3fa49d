"""The work list: what is due first, everybody who waits, and how one customer is found."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from services.activation.models import Activation
from services.activation.overview import BY_AGE
from services.activation.pages.filters import ACTORS, STEPS, Filters
from services.activation.pages.groups import (
    BY_NAME,
    COUNTED_TO,
    DUE,
    GROUPS,
    SENDABLE,
    Group,
    counts,
    waiting,
)
from services.activation.pages.rows import Row, shown
from services.activation.pages.wording import ACTORS as ACTOR_WORDS
from services.activation.pages.wording import STEPS as STEP_WORDS
from shared.host.runtime import Runtime
from shared.web.auth import Caller
from shared.web.pages import (
    EventSourceResponse,
    FormView,
    PageTemplates,
    ServerSentEvent,
    changes,
    find_staff,
    fingerprint,
    pages_router,
    site_of,
    staff_with,
)
from shared.web.paging import Page

TEMPLATES = PageTemplates(Path(__file__).parents[1] / "templates" / "pages")
PER_GROUP = 10
PER_PAGE = 50
NEWEST = 10
SEEN = ("onboarding_id", "company", "blocker", "since", "state", "ordered_at")
"""What tells one state of a list from another."""

Onlooker = Annotated[Caller, Depends(staff_with("onboardings:read"))]
Wanted = Annotated[Filters, Depends(Filters.of)]


async def _onlooker_or_nobody(request: Request) -> Caller | None:
    """Who is signed in; nobody where there is a front page for those who are not."""
    site = site_of(request)
    has_session = site.cookie("session") in request.cookies
    is_shown = site.front_page is not None and site.is_embedded and not has_session
    if is_shown and await run_in_threadpool(find_staff, request) is None:
        return None
    return await staff_with("onboardings:read")(request)


@dataclass(frozen=True)
class Section:
    """A group of the work list, with those of it who wait longest."""

    group: Group
    count: str
    rows: Sequence[Row]


def worklist(runtime: Runtime) -> APIRouter:
    """The pages of the work list."""
    routes = pages_router()

    @routes.get("/")
    def front(
        request: Request,
        caller: Annotated[Caller | None, Depends(_onlooker_or_nobody)],
        filters: Wanted,
    ) -> Response:
        front_page = site_of(request).front_page
        if caller is None and front_page is not None:
            return front_page(request)
        return _WorkList(runtime, request, filters, caller).page("worklist.html")

    @routes.get("/onboardings/list")
    def part(request: Request, caller: Onlooker, filters: Wanted) -> Response:
        name = "worklist_part.html" if _is_fragment(request) else "worklist.html"
        return _WorkList(runtime, request, filters, caller).page(name)

    def followed(request: Request, caller: Onlooker, filters: Wanted) -> _WorkList:
        # Made before the stream begins: what refuses must be an answer of its own.
        return _WorkList(runtime, request, filters, caller)

    @routes.get("/onboardings/changes", response_class=EventSourceResponse)
    async def stream(
        request: Request, work: Annotated[_WorkList, Depends(followed)]
    ) -> AsyncIterator[ServerSentEvent]:
        async for change in changes(request, work.version):
            yield change

    return routes


def _is_fragment(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


class _WorkList:
    """What one person sees of it, with the filters in their address."""

    def __init__(
        self, runtime: Runtime, request: Request, filters: Filters, caller: Caller | None
    ) -> None:
        assert caller is not None  # noqa: S101 - nobody is nobody only where a front page is.
        self._runtime, self._request, self._filters, self._caller = (
            runtime,
            request,
            filters,
            caller,
        )
        if filters.office is not None:
            caller.require_office(filters.office)
        self._office = filters.office or caller.office
        self._due = [BY_NAME[name] for name in DUE[request.state.staff.role]]

    def page(self, name: str) -> Response:
        """The page, or the part of it that changes."""
        with self._runtime.reading() as session:
            values = {"version": self._fingerprint(session), **self._counted(session)}
            values |= self._found(session) if self._filters.is_search else self._work(session)
        return TEMPLATES.page(self._request, name, **values, **self._frame())

    def version(self) -> str:
        """A text that changes when what is shown does."""
        with self._runtime.reading() as session:
            return self._fingerprint(session)

    def _frame(self) -> dict[str, Any]:
        return {
            "filters": self._filters,
            "form": FormView.of(self._filters.values),
            "steps": [(step, STEP_WORDS[step]) for step in STEPS],
            "actors": [(actor, ACTOR_WORDS[actor]) for actor in ACTORS],
            "all_offices": self._caller.office is None,
            "sendable": SENDABLE,
        }

    def _counted(self, session: Session) -> dict[str, Any]:
        numbers = counts(session, self._office)
        return {"groups": [(group, _said(numbers[group.name])) for group in GROUPS]}

    def _work(self, session: Session) -> dict[str, Any]:
        """What is due for this role, and who came in last."""
        now, numbers = self._runtime.clock(), counts(session, self._office)
        sections = [
            Section(group, _said(numbers[group.name]), self._first(session, group))
            for group in self._due
            if numbers[group.name]
        ]
        newest = session.exec(self._newest(Activation)).scalars()
        return {"sections": sections, "rows": shown(list(newest), now), "next": None}

    def _first(self, session: Session, group: Group) -> Sequence[Row]:
        query = waiting(group, self._office, Activation).limit(PER_GROUP)
        return shown(list(session.exec(query).scalars()), self._runtime.clock())

    def _newest(self, *what: Any) -> Any:
        query = sql_select(*what)
        if self._office is not None:
            query = query.where(col(Activation.office_code) == self._office)
        return query.order_by(*(column.desc() for column in BY_AGE)).limit(NEWEST)

    def _found(self, session: Session) -> dict[str, Any]:
        """Those who are asked for, a page at a time."""
        page = Page(self._request, PER_PAGE, self._filters.values.get("after"))
        rows = self._filters.search().read(session, page, self._caller)
        following = page.next and f"/?{page.next.partition('?')[2]}"
        return {
            "sections": [],
            "rows": shown(rows, self._runtime.clock()),
            "next": following,
        }

    def _fingerprint(self, session: Session) -> str:
        if self._filters.is_search:
            page = Page(self._request, PER_PAGE, self._filters.values.get("after"))
            rows = self._filters.search().read(session, page, self._caller)
            return fingerprint([[getattr(row, name) for name in SEEN] for row in rows])
        columns = [getattr(Activation, name) for name in SEEN]
        lists = [waiting(group, self._office, *columns).limit(PER_GROUP) for group in self._due]
        seen = [session.exec(query).all() for query in (*lists, self._newest(*columns))]
        return fingerprint(sorted(counts(session, self._office).items()), seen)


def _said(count: int) -> str:
    return f"{COUNTED_TO}+" if count > COUNTED_TO else str(count)
