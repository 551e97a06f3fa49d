"""Runs services in one process: their threads, one HTTP server, an orderly end."""

import gc
import socket
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

import structlog

from infra.buses import BusFactory
from infra.run.data_folder import hold_folder
from infra.run.runtimes import build_runtimes
from infra.run.sockets import CannotRun, listen
from shared.base.optional import without
from shared.host.addresses import http_address
from shared.host.requests import Clock
from shared.host.role import Role
from shared.host.settings import Settings
from shared.persistence.clock import utc_now

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI, Request, Response

    from infra.run.http_server import HttpServer
    from shared.host.runtime import Runtime
    from shared.notifications.senders import Senders
    from shared.processing.worker.periodic import PeriodicTask
    from shared.web.pages import Site

log = structlog.get_logger()

WORK_IN_HAND = 10.0
"""Seconds that an orderly end gives to answers and batches that are under way."""

UNUSED_BY_FASTAPI = "email_validator"
"""It would load this for addresses in the OpenAPI document: we have none."""

HEALTH_CONNECTIONS = 64
"""At a time, on a port that those who run it have for themselves."""

HANGING_UP = 12.0
"""Seconds that it gives to a broker and a database that do not answer: a line takes 7 of them."""


class Companion(Protocol):
    """Something that is at work beside the services, on a bus of its own."""

    name: str

    def start(self) -> None:
        """Begin to work."""

    def stop(self) -> None:
        """Work no more."""


class Extension(Protocol):
    """What a process shows and does beside its services, e.g. on a machine of one's own."""

    def senders(self, senders: "Senders") -> "Senders":
        """The ways out for mails, or something around them."""

    def routers(self) -> "list[APIRouter]":
        """Its pages."""

    def front_page(self, request: "Request") -> "Response":
        """What `/` shows while nobody is signed in."""


class Supervisor:
    """Services at work in this process. A context manager: it has stopped them when it ends."""

    _token_watch: "PeriodicTask | None" = None
    _site: "Site | None" = None
    _extension: Extension | None = None
    before_work: Callable[[], object] = staticmethod(lambda: None)  # So far nothing is in hand.
    when_ready: Callable[[], object] = staticmethod(lambda: None)  # From now on it answers.

    def __init__(
        self,
        settings: Settings,
        names: Sequence[str] = (),
        *,
        only: Role | None = None,
        clock: Clock | None = None,
    ) -> None:
        if settings.embedded and (names or only):
            raise CannotRun(
                "the embedded broker carries events within one process only: run all services "
                "together, or set STAPPENPLAN_BROKER_URL to a RabbitMQ"
            )
        self._hold: TextIO | None = None
        self._socket = listen(settings.http_host, settings.http_port, "STAPPENPLAN_HTTP_PORT")
        self._health_socket = _health_socket(settings)
        port = self._socket.getsockname()[1]
        self.settings = settings.model_copy(update={"http_port": port})
        self.buses = BusFactory(self.settings)
        self.runtimes: list[Runtime] = []
        self._names, self._clock = names, clock
        self.only = only
        self._companions: list[Companion] = []
        self._servers: list[HttpServer] = []
        self.unfinished: list[str] = []

    @property
    def address(self) -> str:
        """Where this process listens."""
        return http_address(self.settings.http_host, self.settings.http_port)

    @property
    def health_address(self) -> str:
        """Where it tells how it is."""
        port = self.settings.health_port or self.settings.http_port
        return http_address(self.settings.http_host, port)

    def accompany(self, companion: "Companion") -> None:
        """Have an outside system's stand-in start and stop with the services."""
        self._companions.append(companion)

    def extend(self, extension: Extension) -> None:
        """Have something beside the services, from the start on."""
        self._extension = extension

    def start(self) -> None:
        """Start everything; calls `when_ready` as soon as requests are answered.

        Raises:
            CannotRun: the data folder is in use; the text says what to do.
            WrongSettings: a key is too short, or cannot be kept.
            StappenplanError: a service is not installed completely.
        """
        if self.settings.embedded:
            self._hold = hold_folder(self.settings.data_dir)
        # Kept from the first start on: a token key that is replaced later changes no seal.
        self.settings.sealing_key()
        around = self._extension.senders if self._extension else None
        self.runtimes = build_runtimes(
            self.settings, self.buses, self._names, self._clock, self.only, around
        )
        for runtime in self.runtimes:
            runtime.prepare()
        # Before the work begins, whose threads must find all that is installed.
        with without(UNUSED_BY_FASTAPI):
            servers = self._make_servers()
        self.before_work()
        for companion in self._companions:
            companion.start()
        for runtime in self.runtimes:
            runtime.open()
        self._serve(servers)
        _collect_less_garbage()
        self.when_ready()
        # Last of all: each thread has a first look around, and people would wait for them all.
        for runtime in self.runtimes:
            runtime.begin()

    def look(self) -> bool:
        """Look in on the work; whether this process must end, to be started again by its runner.

        That is so when a handler hangs, or a thread has died: neither can be mended from inside.
        """
        hanging = [runtime.service.name for runtime in self.runtimes if runtime.check_handlers()]
        dead = [runtime.service.name for runtime in self.runtimes if not runtime.healthy()]
        if hanging or dead:
            log.error("restart_required", hanging=hanging, dead=dead)
        return bool(hanging or dead)

    def stop(self) -> None:
        """Take nothing more, finish the work in hand, hang up: within 22 seconds, come what may.

        `unfinished` names who was still at work then, e.g. a handler that hangs. Nothing of that
        has been committed or acknowledged, so that it comes again.
        """
        began = time.monotonic()
        for runtime in self.runtimes:
            runtime.interrupt()
        if self._token_watch is not None:
            self._token_watch.stop()
            self._token_watch.join(1.0)  # It would open again what is closed below.
        if self._site is not None:
            self._site.stopping.set()  # Pages that are open wait for news, and would for long.
        for server in self._servers:
            server.stop(WORK_IN_HAND)
        self._hang_up(until=began + WORK_IN_HAND)
        if self._hold is not None:
            self._hold.close()
        if self.unfinished:
            log.error("stopped_with_work_unfinished", threads=self.unfinished)
        else:
            log.info("stopped")

    def _hang_up(self, until: float) -> None:
        """Stop all services side by side: a silent broker costs each of them its full patience."""
        patience = max(0.0, until - time.monotonic())
        stops = [
            threading.Thread(
                target=runtime.stop, args=[patience], name=runtime.service.name, daemon=True
            )
            for runtime in self.runtimes
        ]
        stops += [
            threading.Thread(target=companion.stop, name=companion.name, daemon=True)
            for companion in self._companions
        ]
        for thread in stops:
            thread.start()
        for thread in stops:
            thread.join(max(0.0, until + HANGING_UP - time.monotonic()))
        at_work = [name for runtime in self.runtimes for name in runtime.at_work()]
        self.unfinished = [*at_work, *(thread.name for thread in stops if thread.is_alive())]

    def __enter__(self) -> "Supervisor":
        try:
            self.start()
        except BaseException:
            self.stop()  # Some services may be at work already.
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _make_servers(self) -> "list[HttpServer]":
        from infra.run.http_server import HttpServer
        from shared.host.health import health_app

        servers = [HttpServer(self._app(), self._socket)]
        if self._health_socket is not None:
            # The last to stop: whoever watches sees the others end.
            health = health_app(self.runtimes)
            servers.append(HttpServer(health, self._health_socket, HEALTH_CONNECTIONS))
        return servers

    def _serve(self, servers: "Sequence[HttpServer]") -> None:
        for server in servers:
            self._servers.append(server)
            server.start()

    def _app(self) -> "FastAPI":
        from infra.run.site import build_site, service_clock
        from shared.web.app import create_app
        from shared.web.token_watch import TokenWatch

        clock = service_clock(self.runtimes)
        watch = TokenWatch([runtime.database for runtime in self.runtimes], clock)
        self._token_watch = watch.start()
        self._site = build_site(self.settings, self.runtimes, clock)
        self._site.front_page = self._extension.front_page if self._extension else None
        return create_app(
            self._routers(),
            token_key=self.settings.token_keys(),
            watch=watch,
            site=self._site,
            # Whoever makes the time for the services makes none for those who make tokens.
            clock=utc_now if self._clock else clock,
        )

    def _routers(self) -> "list[APIRouter]":
        from shared.host.health import health

        # Asked for most often, and so looked for first.
        routers = [health(self.runtimes)] if self._health_socket is None else []
        # Whoever only delivers would not see to what a request leaves to be done later.
        if self.only is not Role.DELIVER:
            routers += self._service_routers()
        return routers

    def _service_routers(self) -> "list[APIRouter]":
        from infra.run.event_ingest import event_ingest
        from infra.run.routers import service_routers

        routers = service_routers(self.runtimes)
        if self.settings.embedded:
            routers.append(event_ingest(self.runtimes))
        return routers + (self._extension.routers() if self._extension else [])


def _health_socket(settings: Settings) -> socket.socket | None:
    if not settings.health_port:
        return None
    return listen(settings.http_host, settings.health_port, "STAPPENPLAN_HEALTH_PORT")


def _collect_less_garbage() -> None:
    """Look for garbage again, less often, and never among what was made at the start.

    A batch makes some ten thousand objects and drops them all, most of them without a cycle: at
    Python's own settings a fifth of the time went into looking.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    gc.enable()
