"""`stappenplan demo`: customers go through all seven steps, on the configured backends."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from infra.demo.demonstration import Demonstration
    from infra.demo.simulators.website import Document
    from infra.run.supervisor import Supervisor
    from shared.host.settings import Settings
    from shared.messaging.bus import Bus

COLOURS = {
    "INSCHRIJVEN": "cyan",
    "AANMELDEN": "blue",
    "INRICHTEN": "magenta",
    "BEVESTIGEN": "yellow",
    "VRIJGEVEN": "green",
    "ACTIVEREN": "bright_magenta",
    "INLOGGEN": "bright_green",
}
MANY = 1_000_000
"""More sign-ups within an hour than any demonstration has."""


def demo(
    customers: Annotated[int, typer.Option(min=1, max=10_000, help="how many sign up")] = 12,
    office: Annotated[str, typer.Option(help="whose clients they are")] = "0042",
) -> None:
    """Take sign-ups through all seven steps; exit 0 only when all reached the last."""
    from infra import context
    from infra.demo.simulators import website
    from shared.host.telemetry import configure_logging

    configure_logging("error")
    console = context.console()
    asked = context.settings()
    settings = _settings(asked, console)
    documents = list(website.signups(customers, office))
    strangers = not settings.strict_publishers
    invalid = website.mistakes(office, strangers=strangers) if customers > 1 else []
    _declare_topology(settings, office)
    shown, took = _perform(settings, office, [*documents, *invalid], console)
    _checklist(shown, console)
    _closing(shown, settings, console, took)
    console.print(where_to_look(asked), soft_wrap=True)
    _require_all(shown, len(documents), len(invalid), console)


def _perform(
    settings: "Settings", office: str, documents: "list[Document]", console: "Console"
) -> "tuple[Demonstration, float]":
    """Run the services and let everybody play their part; how many seconds that took."""
    from infra.composition import KING
    from infra.demo.demonstration import Demonstration
    from infra.demo.simulators.king import KingBilling
    from infra.run.supervisor import Supervisor

    began = time.monotonic()
    supervisor = Supervisor(settings)
    king = KingBilling(supervisor.buses.bus(KING.name), strict=settings.strict_publishers)
    supervisor.accompany(king)
    with supervisor:
        _ready(supervisor, console, time.monotonic() - began)
        everywhere = {runtime.service.name: supervisor.address for runtime in supervisor.runtimes}
        shown = Demonstration(everywhere, settings.signing_key(), settings.data_dir, king)
        shown.require_office(office)
        bus = supervisor.buses.bus(f"website-{office}", consume=False)
        bus.open()
        try:
            took = _play(shown, bus, documents, console)
        finally:
            bus.close()
            shown.close()
    return shown, took


def _settings(asked: "Settings", console: "Console") -> "Settings":
    """What was set, but for the port, which may be any, and for the ways by which mail goes out.

    Its customers may all come within the hour, and come again with the next demonstration.
    """
    ways = {"STAPPENPLAN_MAIL": asked.mail, "STAPPENPLAN_SMS": asked.sms}
    aside = [f"{name}={way}" for name, way in ways.items() if way != "file"]
    if aside:
        console.print(
            f"{' and '.join(aside)} {'is' if len(aside) == 1 else 'are'} left aside: customers of "
            "the demonstration read their mails and text messages as files"
        )
    believed = {"signups_per_address_hour": MANY, "signups_per_office_hour": MANY}
    elsewhere = {"http_port": 0, "health_port": 0, "mail": "file", "sms": "file"}
    return asked.model_copy(update=elsewhere | believed)


def _require_all(shown: "Demonstration", arriving: int, rejected: int, console: "Console") -> None:
    """Exit with 1 unless as many have arrived, and were rejected, as had to be."""
    journeys = shown.journeys.values()
    ends = (
        sum(journey.complete for journey in journeys),
        sum(bool(journey.rejected) for journey in journeys),
    )
    if ends != (arriving, rejected):
        console.print("Not everyone arrived; `stappenplan doctor` looks further.", style="red")
        raise typer.Exit(1)


def _declare_topology(settings: "Settings", office: str) -> None:
    """Make the queues, so that a demonstration needs no step before it; `run` never does this."""
    if not settings.embedded:
        from infra.composition import topology
        from shared.messaging.topology import ADMIN
        from shared.messaging.topology.declare import apply

        apply(topology(settings).with_offices([office]), settings.broker_url_of(ADMIN))


def _ready(supervisor: "Supervisor", console: "Console", seconds: float) -> None:
    count = len(supervisor.runtimes)
    console.print(
        f"{count} services and a stand-in for KING are up after {seconds:.1f} s", style="dim"
    )


def _play(
    shown: "Demonstration", bus: "Bus", documents: "list[Document]", console: "Console"
) -> float:
    """Show each step as it happens; how many seconds all of them took."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.text import Text

    began = time.monotonic()
    room = min(44, max(20, console.width - 48))
    columns = (
        TextColumn("[bold]steps"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        valid = len(documents)
        task = progress.add_task("steps", total=valid * len(COLOURS))

        def tell(company: str, step: str, what: str) -> None:
            bad = what.startswith("rejected")
            line = Text.assemble(
                (f"{time.monotonic() - began:5.1f} s  ", "dim"),
                (f"{step:<11}", "red" if bad else COLOURS[step]),
                f"  {_cut(company, room):<{room}}  {what}",
            )
            progress.console.print(line, overflow="ellipsis", no_wrap=True)
            progress.advance(task, len(COLOURS) if bad else 1)

        shown.emit(bus, documents)
        shown.play(tell, patience=30.0)
    return time.monotonic() - began


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _checklist(shown: "Demonstration", console: "Console") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    legend = [f"{number} {step}" for number, step in enumerate(COLOURS, 1)]
    caption = "\n".join("  ".join(half) for half in (legend[:4], legend[4:]))
    table = Table(title="The checklist", caption=caption, box=SIMPLE_HEAD)
    table.add_column("customer", no_wrap=True, overflow="ellipsis", max_width=44)
    for number in range(1, len(COLOURS) + 1):
        table.add_column(str(number), justify="center", width=3)
    journeys = list(shown.journeys.values())
    for journey in journeys[:40]:
        marks = [Text("✓", "green") if step in journey.done else Text("·") for step in COLOURS]
        if journey.rejected:
            marks = [Text("✗", "red"), *[Text(" ")] * (len(COLOURS) - 1)]
        table.add_row(journey.company, *marks)
    if len(journeys) > 40:
        table.add_row(f"… and {len(journeys) - 40} more")
    console.print(table)


def _closing(shown: "Demonstration", settings: "Settings", console: "Console", took: float) -> None:
    from infra.context import times

    arrived = sum(journey.complete for journey in shown.journeys.values())
    rejected = sum(journey.rejected is not None for journey in shown.journeys.values())
    folder = settings.data_dir
    console.print(
        f"{times(arrived, 'customer')} logged in, {times(rejected, 'sign-up')} rejected with "
        f"{'its' if rejected == 1 else 'their'} errors, in {took:.1f} s"
    )
    milliseconds = shown.median_release_seconds() * 1000
    console.print(f"from KING's report to the release: {milliseconds:.0f} ms (median)")
    console.print(f"mails     {folder / 'mail'}   (the confirmations are attached as PDF)")
    console.print(f"texts     {folder / 'sms'}")
    console.print("look on   `stappenplan run`, then /docs")


def where_to_look(settings: "Settings") -> str:
    """Where somebody sees the customers of a demonstration: the page with them in it.

    The services have ended by then, so that it says first what has them run again.
    """
    return f"Look at them: `stappenplan run`, then {settings.base_url}/"
