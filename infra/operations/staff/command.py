"""`stappenplan staff link`: lets somebody in who has no account at the provider, or before one."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from services.activation.staff.sessions import StaffMember
    from shared.host.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The people of the offices and of KING.")


@app.callback()
def _staff() -> None:
    """The people of the offices and of KING."""


@app.command()
def link(
    name: Annotated[str, typer.Option(help="whose it is, for the record of acts")],
    role: Annotated[str, typer.Option(help="office, activator, king or operator")],
    office_code: Annotated[
        str | None, typer.Option("--office", help="the code of the office of the first two roles")
    ] = None,
) -> None:
    """Print a link that signs one person in, once, within a quarter of an hour."""
    from infra.context import databases, settings
    from services.activation.staff import links
    from services.activation.staff.sessions import StaffMember
    from shared.persistence.clock import database_now

    try:
        member = StaffMember.of(name, role, office_code)
    except ValueError as error:
        raise _refuse(str(error)) from None
    current = settings()
    pages = current.page_links()
    with databases(["activation"]) as opened:
        # Whether it is still good is judged by that database's time.
        now = database_now(opened["activation"])
    path, link_id = links.make(pages, member, now)
    _record(current, member, link_id, now)
    typer.echo(pages.plain(path))


def _record(current: "Settings", member: "StaffMember", link_id: str, now: "datetime") -> None:
    """Record who made the link, for whom; whoever uses it is on record by themselves."""
    from infra.context import databases, whoever_asks
    from infra.operations.administration.tokens import require_office
    from shared.processing import Person
    from shared.processing.store import acts

    with databases(["signup", "activation"]) as opened:
        try:
            if member.office is not None:
                require_office(opened, current, member.office)
        except ValueError as error:
            raise _refuse(str(error)) from None
        by = Person(whoever_asks(), None, "command line")
        details = {"name": member.name, "role": member.role, "office": member.office}
        with opened["activation"].begin() as session:
            acts.record(session, by, "staff.link", link_id, now, details)


def _refuse(sentence: str) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(2)
