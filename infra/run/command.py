"""`stappenplan run`: the services at work, until Ctrl-C or SIGTERM."""

import faulthandler
import gc
import os
import signal
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from shared.host.role import Role

if TYPE_CHECKING:
    from infra.run.supervisor import Supervisor

STANDSTILL = 60.0
"""Seconds for which this process may stand still as a whole before it is ended."""

DELIVERY_NICE_INCREMENT = 5
"""Where processors are scarce, whoever consumes goes before whoever delivers."""


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
    try:
        _run(services or [], simulate_king=simulate_king, only=only)
    finally:
        gc.enable()


def _run(services: Sequence[str], *, simulate_king: bool, only: Role | None) -> None:
    from infra.context import require_service, settings
    from infra.run.supervisor import Supervisor

    names = [require_service(name) for name in services]
    stop = _stop_on_signals()
    _end_at_a_standstill()
    if only is Role.DELIVER:
        os.nice(DELIVERY_NICE_INCREMENT)
    supervisor = Supervisor(settings(), names, only=only)
    if simulate_king:
        from infra.composition import KING
        from infra.demo.simulators.king import KingBilling

        line, strict = supervisor.buses.bus(KING.name), supervisor.settings.strict_publishers
        supervisor.accompany(KingBilling(line, strict=strict))
    with supervisor:
        _announce(supervisor)
        failed = _watch_over(supervisor, stop)
        typer.echo("stopping: finishing the work in hand")
    if failed or supervisor.unfinished:
        # Something hangs, and would hold up the interpreter's own end as well.
        os._exit(1)


def _stop_on_signals() -> threading.Event:
    """What is set by Ctrl-C or SIGTERM."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        if stop.is_set():
            # The second signal means now; whatever was committed is safe, the rest comes again.
            os._exit(1)
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stop


def _announce(supervisor: "Supervisor") -> None:
    """What runs, and at which addresses."""
    running = ", ".join(runtime.service.name for runtime in supervisor.runtimes)
    only = supervisor.only
    typer.echo(f"running {running}" + (f", to {only} only" if only else ""))
    if only is not Role.DELIVER:
        typer.echo(f"  API         {supervisor.address}/docs")
    typer.echo(f"  readiness   {supervisor.health_address}/readyz")
    typer.echo(f"  events      {_without_password(supervisor.settings.broker_url)}")
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


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
