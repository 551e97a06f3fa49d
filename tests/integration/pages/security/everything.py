"""Every page that there is, with an address that leads somewhere, and whoever may open it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import text

import shared.web.app
from infra.composition import build_services
from infra.operations.audit.books import Ledgers
from infra.operations.audit.closing import close_books
from infra.operations.audit.queues import EMBEDDED
from shared.host.settings import Settings
from shared.links import Purpose
from shared.persistence.database import Database
from shared.web.pages.router import pages_router
from tests.e2e.api import Api
from tests.e2e.stage import Stage, one_process
from tests.servers.premises import wait_until
from tests.visitors import Visitor, staff_visitor

OWN_FORM = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
BY_THEMSELVES = frozenset({"inbox", "outbox", "lease", "alembic_version"})
"""Tables that services write without anybody asking: what is under way, and who sweeps."""
SIGNED_IN = frozenset({"staff_session"})
"""What the renewal of a pass writes: when somebody was seen last."""


@dataclass(frozen=True)
class PageOf:
    """One page: its method, its path with what stands in braces, its address here."""

    method: str
    path: str
    address: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Everything:
    """One running system with a customer at every step, and people of every kind."""

    stage: Stage
    app: FastAPI
    office: str = "0042"
    name: str = "M. Voorbeeld"
    others: Sequence[str] = ()
    _who_may: dict[str, Visitor] = field(default_factory=dict)
    issued_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def api(self) -> Api:
        return Api(self.stage)

    @cached_property
    def somebody(self) -> Visitor:
        """Whoever is signed in nowhere."""
        return Visitor(self.stage.settings, self.api.address)

    @cached_property
    def staff(self) -> Mapping[str, Visitor]:
        """Somebody in each role, of this office where the role is for one."""
        settings, address = self.stage.settings, self.api.address
        offices = {"activator": self.office, "king": None, "operator": None}
        return {
            role: staff_visitor(settings, address, role, office, self.name)
            for role, office in offices.items()
        }

    @cached_property
    def stranger(self) -> Visitor:
        """An activator of another office."""
        return staff_visitor(self.stage.settings, self.api.address, "activator", "0077")

    def prepare(self) -> None:
        """Have the customer and the people there, and all said that is to be said of them."""
        list(self.people), self.stranger, self.samples, self.leaver
        wait_until(self._at_rest, "all that is to be said has been said", 30)

    @property
    def people(self) -> Iterator[Visitor]:
        yield from (*self.staff.values(), self.somebody)

    @cached_property
    def customer(self) -> str:
        """A customer whose payer has yet to sign."""
        onboarding_id = self.api.sign_up(self.office)
        self.api.order_of(onboarding_id)
        return onboarding_id

    @cached_property
    def leaver(self) -> str:
        """A customer who may withdraw, be it that an attempt succeeds."""
        return self.api.sign_up(self.office)

    @cached_property
    def order(self) -> str:
        return self.api.order_of(self.customer)

    def token(self, purpose: Purpose, onboarding_id: str | None = None) -> str:
        links = self.somebody.site.links
        whose = self.leaver if purpose is Purpose.WITHDRAW else self.customer
        path = links.path(purpose, onboarding_id or whose, self.issued_at)
        return path.rpartition("/")[2]

    @cached_property
    def samples(self) -> Mapping[str, str]:
        """What stands in the addresses."""
        nobodys, order = str(uuid4()), self.order
        mail = next(iter(sorted(self.stage.settings.data_dir.glob("mail/*order_confirmation-*"))))
        return {
            "onboarding_id": self.customer,
            "reference": order,
            "code": self.office,
            "service": "billing",
            "field": "customer.email",
            "signing_id": nobodys,
            "round_id": nobodys,
            "scan_id": nobodys,
            "number": "0",
            "part": "office",
            "what": "nothing",
        } | {"name": mail.name}

    def pages(self, *methods: str, customer: str = "") -> list[PageOf]:
        """Every page that is asked by these methods; what is about a customer, about this one."""
        kind = pages_router().route_class
        return [
            PageOf(method, route.path or "", self._address(route.path or "", customer))
            for route in iter_route_contexts(self.app.routes)
            if isinstance(route.original_route, kind)
            for method in sorted(route.methods or ())
            if method in methods
        ]

    def _address(self, path: str, customer: str) -> str:
        def fill(name: re.Match[str]) -> str:
            if name[1] == "onboarding_id" and (customer or path.endswith("/withdraw")):
                return customer or self.leaver
            if name[1] != "token":
                return self.samples.get(name[1], str(uuid4()))
            purpose = STATUS if "/thanks/" in path else Purpose(path.split("/")[1])
            return self.token(purpose, customer)

        if path.startswith("/static/"):
            return re.sub(r"{\w+}", "0b5cad" if "color" in path else "stappenplan.css", path)
        return re.sub(r"{(\w+)(?::path)?}", fill, path)

    def open(self, visitor: Visitor, page: PageOf, method: str = "", **rest: Any) -> httpx.Response:
        """What a page answers; of a stream its beginning."""
        headers = {"Accept": "text/html"} | rest.pop("headers", {})
        with visitor.http.stream(
            method or page.method, page.address, headers=headers, follow_redirects=False, **rest
        ) as answer:
            if "event-stream" not in answer.headers.get("content-type", ""):
                answer.read()
        return answer

    def who_may(self, page: PageOf) -> Visitor:
        """Somebody for whom the page is; a form that is empty is sent to find that out."""
        form: dict[str, Any] = {"data": {}, "headers": OWN_FORM} if page.method == "POST" else {}
        if str(page) not in self._who_may:
            people = (one for one in self.people if not self._is_kept_out(one, page, form))
            self._who_may[str(page)] = next(people, self.somebody)
        return self._who_may[str(page)]

    def _is_kept_out(self, visitor: Visitor, page: PageOf, form: Mapping[str, Any]) -> bool:
        answer = self.open(visitor, page, **form)
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        must_sign_in = "/staff/pass" in answer.headers.get("location", "") or (
            is_page and 'action="/staff/pass' in answer.text
        )
        return answer.status_code == 403 or must_sign_in

    def written(self, *but: str) -> Mapping[str, list[str]]:
        """All that stands in the databases, by table, save what services write by themselves.

        It is read once all has led to what it leads to: a mail that leaves a second later is no
        doing of the page that is looked at.
        """
        wait_until(self._at_rest, "all is at rest", 30)
        rows: dict[str, list[str]] = {}
        for service, database in self.databases.items():
            with database.read() as session:
                tables = session.execute(
                    text("select name from sqlite_master where type = 'table'")
                ).scalars()
                for table in set(tables) - BY_THEMSELVES - set(but):
                    found = session.execute(text(f'select * from "{table}"'))
                    rows[f"{service}.{table}"] = sorted(map(repr, found))
        return rows

    def _at_rest(self) -> bool:
        """Whether every event has been heard by all who hear it, and every mail has left."""
        books = close_books(self.ledgers, EMBEDDED, pause=0)
        under_way = sum(pair.waiting for pair in books.pairs)
        return not (books.suspects or under_way or sum(it.unsent for it in books.beside.values()))

    @cached_property
    def ledgers(self) -> Ledgers:
        services = build_services(self.stage.settings)
        return {it.name: (it, self.databases[it.name]) for it in services}

    @cached_property
    def databases(self) -> Mapping[str, Database]:
        return self.stage.databases()

    def later(self, days: int) -> datetime:
        return self.issued_at + timedelta(days=days)


STATUS = Purpose.STATUS


@contextmanager
def whole_house(folder: Path) -> Iterator[Everything]:
    """The embedded default with the page of the first run, and a KING that does nothing."""
    apps: list[FastAPI] = []
    create_app = shared.web.app.create_app

    def kept(*args: Any, **options: Any) -> FastAPI:
        apps.append(create_app(*args, **options))
        return apps[-1]

    settings = Settings(data_dir=folder, http_port=0, log_level="error")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared.web.app, "create_app", kept)
        with one_process(settings, simulate_king=False, first_run=True) as stage:
            stage.open_office("0077", email="kantoor@zuid.example")
            everything = Everything(stage, apps[-1])
            everything.prepare()
            yield everything
