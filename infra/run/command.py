"""`stappenplan run`: the services at work, until Ctrl-C or SIGTERM."""

import faulthandler
import gc
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from infra.signals import on_stop_signals
from shared.host.role import Role

if TYPE_CHECKING:
    from infra.demo.simulators.king import KingBilling
    from infra.run.supervisor import Supervisor

STANDSTILL = 60.0
"""Seconds for which this process may stand still as a whole before it is ended."""

DELIVERY_NICE_INCREMENT = 5
"""Where processors are scarce, whoever consumes goes before whoever delivers."""


SWITCH_INTERVAL_SECONDS = 0.001
"""After so long a thread that computes lets another one go on, five times as soon as Python's own
default: a person's request, or a lone event, asks for the interpreter again after each answer of
the database, and would wait each time for a batch that is being worked through."""


def run(
    services: Annotated[
        list[str] | None, typer.Argument(metavar="[SERVICE]...", help="all of them by default")
    ] = None,
    simulate_king: Annotated[
        bool, typer.Option("--simulate-king", help="a stand-in collects whatever is requested")
    ] = False,
    only: Annotated[
        Role | None,
        typer.Option(help="half of the work; deliver: mails and texts, consume: all but these"),
    ] = None,
) -> None:
    """Run the named services, all by default, in this process; Ctrl-C or SIGTERM stops it."""
    # Nearly all that is made at the start stays, and to look for garbage among it takes long; the
    # supervisor turns this on again.
    gc.disable()
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    try:
        _run(services or [], simulate_king=simulate_king, only=only)
    finally:
        gc.enable()


def _run(services: Sequence[str], *, simulate_king: bool, only: Role | None) -> None:
    from infra.context import require_service, settings
    from infra.run.supervisor import Supervisor

    names = [require_service(name) for name in services]
    _end_at_a_standstill()
    if only is Role.DELIVER:
        os.nice(DELIVERY_NICE_INCREMENT)
    supervisor = Supervisor(settings(), names, only=only)
    king = _accompanied_by_king(supervisor) if simulate_king else None
    is_playground = _is_playground(supervisor)
    if is_playground:
        from infra.demo.playground.first_run import FirstRun

        supervisor.extend(FirstRun(supervisor, king))
    failed = _work_until_asked_to_stop(supervisor, is_playground=is_playground)
    if failed or supervisor.unfinished:
        # Something hangs, and would hold up the interpreter's own end as well.
        os._exit(1)


def _work_until_asked_to_stop(supervisor: "Supervisor", *, is_playground: bool) -> bool:
    """Start, work and stop; whether this process had to end because it is of no more use."""
    request = _StopRequest()
    supervisor.before_work = request.wait_for_work_to_end
    supervisor.when_ready = lambda: _announce(supervisor, is_playground=is_playground)
    with supervisor:
        failed = _watch_over(supervisor, request.made)
        typer.echo("stopping: finishing the work in hand")
    return failed


def _accompanied_by_king(supervisor: "Supervisor") -> "KingBilling":
    """A stand-in for KING's billing, at work beside the services."""
    from infra.composition import KING
    from infra.demo.simulators.king import KingBilling

    line, strict = supervisor.buses.bus(KING.name), supervisor.settings.strict_publishers
    king = KingBilling(line, strict=strict)
    supervisor.accompany(king)
    return king


def _is_playground(supervisor: "Supervisor") -> bool:
    """Whether this is a machine of one's own: everything in one process, and nobody else comes."""
    settings = supervisor.settings
    is_at_home = settings.http_host in ("127.0.0.1", "localhost", "::1")
    files_alone = settings.mail == "file" and settings.sms == "file"
    return settings.embedded and not settings.public_url and is_at_home and files_alone


class _StopRequest:
    """What SIGTERM and Ctrl-C ask: a start breaks off, work that is under way is finished.

    Nothing is ever raised from a signal's handler: it would be raised wherever the main thread
    happens to be, and in the midst of an import that leaves the lock of all imports held.
    """

    def __init__(self) -> None:
        self.made = threading.Event()
        self._nothing_in_hand = True
        on_stop_signals(self._on_signal)

    def wait_for_work_to_end(self) -> None:
        """Break nothing off any more: what begins now is to be stopped in good order."""
        self._nothing_in_hand = False

    def _on_signal(self, _number: int) -> None:
        if self._nothing_in_hand:
            # A start may wait for a database or another's migrations for as long as it takes.
            os.write(sys.stdout.fileno(), b"stopped before all had started\n")
            os._exit(0)
        if self.made.is_set():
            # The second signal means now; whatever was committed is safe, the rest comes again.
            os._exit(1)
        self.made.set()


def _announce(supervisor: "Supervisor", *, is_playground: bool) -> None:
    """What runs, and at which addresses."""
    running = ", ".join(runtime.service.name for runtime in supervisor.runtimes)
    only = supervisor.only
    typer.echo(f"running {running}" + (f", to {only} only" if only else ""))
    if is_playground:
        typer.echo(
            f"  START HERE  {supervisor.address}/  (customer, payer, office, KING, operator)"
        )
        typer.echo(f"  mailbox     {supervisor.address}/mailbox")
    if only is not Role.DELIVER:
        typer.echo(f"  API         {supervisor.address}/docs")
    typer.echo(f"  readiness   {supervisor.health_address}/readyz")
    typer.echo(f"  events      {supervisor.settings.broker_name}")
    typer.echo("Ctrl-C stops it.")


def _watch_over(supervisor: "Supervisor", stop: threading.Event) -> bool:
    """Wait until asked to stop, or until this process is of no more use; whether that was why."""
    from shared.processing.worker.watchdog import CHECK_SECONDS

    while not stop.wait(CHECK_SECONDS):
        if supervisor.look():
            return True
    return False


def _end_at_a_standstill() -> None:
    """See to it that this process ends when none of its threads can run any more.

    A handler that keeps the interpreter to itself, such as a search that never ends, stops every
    other thread, those that watch over it too. The one that ends the process then, and says where
    each thread was, needs no interpreter; it is put off as long as this thread can run.
    """
    from shared.processing.worker.watchdog import CHECK_SECONDS

    def put_off() -> None:
        while True:
            faulthandler.dump_traceback_later(STANDSTILL, exit=True)
            time.sleep(CHECK_SECONDS)  # It has nothing else to do, and ends with the process.

    threading.Thread(target=put_off, name="standstill", daemon=True).start()
