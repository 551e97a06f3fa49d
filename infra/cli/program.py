"""The commands, and how each of them ends.

Commands import what they need when they run, so that `--help` answers at once.
"""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from infra.demo import command as demo
from infra.operations.administration import command as administration
from infra.operations.audit import command as audit
from infra.operations.contract import command as contract
from infra.operations.dead_letters import command as dead_letters
from infra.operations.doctor import command as doctor
from infra.operations.emit import command as emit
from infra.operations.mail import command as mail
from infra.operations.offices import command as offices
from infra.operations.replay import command as replay
from infra.operations.staff import command as staff
from infra.operations.status import command as status
from infra.operations.topology import command as topology
from infra.run import command as run

if TYPE_CHECKING:
    from sqlalchemy.exc import SQLAlchemyError

Level = Literal["debug", "info", "warning", "error"]

app = typer.Typer(
    name="stappenplan",
    help="From sign-up to log-in in seven steps: services that talk only by events.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.run)
app.command("demo")(demo.demo)
app.command("emit")(emit.emit)
app.command("replay")(replay.replay)
app.command("doctor")(doctor.doctor)
app.command("status")(status.status)
app.command("audit")(audit.audit)
app.add_typer(topology.app, name="topology")
app.add_typer(dead_letters.app, name="dead")
app.add_typer(contract.app, name="contract")
app.add_typer(administration.db, name="db")
app.add_typer(administration.token, name="token")
app.add_typer(offices.app, name="office")
app.add_typer(staff.app, name="staff")
app.add_typer(mail.app, name="mail")


def print_version(wanted: bool) -> None:
    """Print the installed version and end, when the option is given."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"stappenplan {version('stappenplan')}")
        raise typer.Exit


@app.callback()
def start(
    log_level: Annotated[
        Level | None, typer.Option(case_sensitive=False, help="how much it tells of its work")
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=print_version, help="print the version"),
    ] = False,
) -> None:
    """From sign-up to log-in in seven steps."""
    from infra import context
    from shared.host.telemetry import configure_logging

    current = context.settings()
    context.warn_of_strangers()
    configure_logging(log_level or current.log_level)


def run_program() -> None:
    """Run the command that was asked for; an expected failure is one sentence and exit code 1.

    A setting that makes no sense is wrong usage: exit code 2.
    """
    try:
        app()
    except Exception as error:
        from shared.base.errors import StappenplanError, WrongSettings

        if database_error := _database_error(error):
            print(f"stappenplan: {_told(database_error)}", file=sys.stderr)  # noqa: T201
        elif isinstance(error, StappenplanError):
            print(f"stappenplan: {error}", file=sys.stderr)  # noqa: T201 - a command line's voice.
        elif isinstance(error, OSError) and error.strerror:
            # A disk that is full, a file that is not ours: this machine says no, and says why.
            where = "" if error.filename is None else f"{error.filename}: "
            print(f"stappenplan: {where}{error.strerror}", file=sys.stderr)  # noqa: T201
        else:
            raise
        sys.exit(2 if isinstance(error, WrongSettings) else 1)


def _database_error(error: Exception) -> "SQLAlchemyError | None":
    """What a database said, also where somebody has taken it for one that is away."""
    from sqlalchemy.exc import SQLAlchemyError

    from shared.base.errors import InfrastructureDown

    said = error.__cause__ if isinstance(error, InfrastructureDown) else error
    return said if isinstance(said, SQLAlchemyError) else None


def _told(error: "SQLAlchemyError") -> str:
    from infra.context import settings
    from infra.whereabouts import told_of_trouble

    return told_of_trouble(settings(), error)
