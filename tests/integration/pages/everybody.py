"""Everybody who may come to a page, each with a browser of their own, at one running system."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import uuid4

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from shared.web.pages.router import pages_router
from shared.web.scopes import STAFF_ROLES, allows
from tests.e2e.api import Api
from tests.e2e.stage import Stage
from tests.visitors import sign_in

SIGN_OUT = "POST /staff/sign-out"

OWNED = frozenset({"onboarding_id", "reference"})
"""What belongs to an office: another office finds nothing there."""


MADE_UP = frozenset({"signing_id", "round_id", "scan_id", "result_id", "group_id", "letter_id"})
"""What nobody has here: whoever may open such a page finds nothing."""


@dataclass(frozen=True)
class Somebody:
    """Who opens a page: in a role, at an office, or nobody who is known."""

    role: str | None
    office: str | None = None

    def __str__(self) -> str:
        return " of ".join(part for part in (self.role or "nobody", self.office) if part)

    def may(self, access: str) -> bool:
        """Whether the table of roles allows it."""
        return self.role is not None and allows(STAFF_ROLES[self.role].scopes, access)


NOBODY = Somebody(None)
EVERYBODY = (
    NOBODY,
    Somebody("office", "0042"),
    Somebody("activator", "0042"),
    Somebody("king"),
    Somebody("operator"),
    Somebody("office", "0077"),
    Somebody("activator", "0077"),
)
ANOTHER_OFFICE = "0077"


class World:
    """One running system with a customer of office 0042, and everybody's browser."""

    def __init__(self, stage: Stage, app: FastAPI) -> None:
        self.api, self.app = Api(stage), app
        self._browsers: dict[Somebody, httpx.Client] = {}

    @cached_property
    def customer(self) -> str:
        """A customer of office 0042, who is known everywhere."""
        onboarding_id = self.api.sign_up("0042")
        self.api.order_of(onboarding_id)
        return onboarding_id

    @cached_property
    def order(self) -> str:
        return self.api.order_of(self.customer)

    def pages(self) -> Iterator[str]:
        """Every page of the application, by its method and path; HEAD asks what GET does."""
        kind = pages_router().route_class
        for route in iter_route_contexts(self.app.routes):
            if isinstance(route.original_route, kind):
                for method in sorted(set(route.methods or ()) - {"HEAD"}):
                    yield f"{method} {route.path}"

    def ask(self, somebody: Somebody, page: str, *, known: bool = True) -> httpx.Response:
        """What somebody is answered; of what is not `known` the addresses are made up."""
        method, _, path = page.partition(" ")

        def fill(name: re.Match[str]) -> str:
            return SAMPLES[name[1]](self) if known or name[1] not in OWNED else str(uuid4())

        address = re.sub(r"\{(\w+)(?::path)?\}", fill, path)
        form = None if method == "GET" else {"form_key": str(uuid4())}
        headers = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        # Of a stream the beginning will do.
        browser = self._browser(somebody)
        with browser.stream(method, address, headers=headers, data=form) as answer:
            if "event-stream" not in answer.headers.get("content-type", ""):
                answer.read()
        if page == SIGN_OUT:
            self._browsers.pop(somebody).close()
        return answer

    def _browser(self, somebody: Somebody) -> httpx.Client:
        if somebody not in self._browsers:
            once = httpx.Limits(max_keepalive_connections=0)  # The server closes what is idle.
            client = httpx.Client(base_url=self.api.address, timeout=30, limits=once)
            if somebody.role is not None:
                kept = sign_in(self.api.stage.settings, somebody.role, somebody.office)
                for name, value in kept.items():
                    client.cookies.set(f"stappenplan-{name}", value)
            self._browsers[somebody] = client
        return self._browsers[somebody]

    def close(self) -> None:
        for client in self._browsers.values():
            client.close()


SAMPLES: Mapping[str, Callable[[World], str]] = {
    "onboarding_id": lambda world: world.customer,
    "reference": lambda world: world.order,
    "code": lambda _: "0042",
    "service": lambda _: "billing",
    "name": lambda _: "stappenplan.css",
    "token": lambda _: "made-up.token",
    "field": lambda _: "customer.email",
    **dict.fromkeys(MADE_UP, lambda _: str(uuid4())),
}
