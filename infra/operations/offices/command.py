"""`stappenplan office`: the accounting offices, added and changed as KING's back office does."""

from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

app = typer.Typer(no_args_is_help=True, help="The accounting offices.")

BOOKS = typer.Option(help="what its customers' books begin with; standard at first")
PAYS = typer.Option(help="no, review (a person looks first) or yes; no at first")
PASSWORDS = typer.Option(help="keep the new broker user's password in this file, not on screen")


@app.command()
def add(
    code: str,
    name: Annotated[str | None, typer.Option(help="the office's name")] = None,
    email: Annotated[str | None, typer.Option(help="where its copies go")] = None,
    phone: Annotated[str | None, typer.Option(help="its telephone; empty for none")] = None,
    language: Annotated[str | None, typer.Option(help="nl or en; nl at first")] = None,
    review: Annotated[str | None, typer.Option(help="always or flagged; flagged at first")] = None,
    base_administration: Annotated[str | None, BOOKS] = None,
    pays_for_customers: Annotated[str | None, PAYS] = None,
    passwords: Annotated[str, PASSWORDS] = "",
) -> None:
    """Add an office, which needs a name and an e-mail address; or change what is told of it.

    On RabbitMQ its website gets its exchange, and through STAPPENPLAN_MANAGEMENT_URL its user.
    """
    options = {
        "name": name,
        "email": email,
        "phone": phone,
        "language": language,
        "review": review,
        "base_administration": base_administration,
        "pays_for_customers": pays_for_customers,
    }
    _require_code(code)
    _change(code, {name: value for name, value in options.items() if value is not None})
    _open_exchange(code, passwords)


def _change(code: str, changes: dict[str, Any]) -> None:
    """Write what is told of an office, and show what is known of it now."""
    from infra.context import databases
    from services.signup.models import Office
    from shared.persistence.clock import database_now

    with databases(["signup"]) as opened, opened["signup"].begin() as session:
        present = session.get(Office, code)
        before = present.told() if present else {}
        before.pop("code", None)
        after = _checked(before | changes)
        session.merge(Office.of(code=code, **after))
        if after != before:
            _record(session, code, after, database_now(opened["signup"]))
    news = "is as it was" if after == before else "is changed" if present else "is added"
    typer.echo(f"office {code} {news}")
    _show(after)


def _record(session: "Session", code: str, office: dict[str, Any], now: "datetime") -> None:
    """Record who changed the office, as a request over HTTP does."""
    from infra.context import whoever_asks
    from services.signup.commands import PutOffice, office_subject
    from shared.processing import Person
    from shared.processing.store import acts

    put = PutOffice(code=code, **office)
    by, subject = Person(whoever_asks(), None, "command line"), office_subject(code)
    acts.record(session, by, put.command_type, subject, now, acts.recorded(put))


def _open_exchange(code: str, passwords: str) -> None:
    """Make what its website needs at the broker, unless it is there.

    Who may not declare, or reaches no broker, is told what to do: over HTTP it can sign up already.
    """
    from infra.context import settings
    from infra.operations.topology.applying import make_office
    from shared.base.errors import StappenplanError

    current = settings()
    if current.embedded:
        return
    try:
        for sentence in make_office(current, code, passwords):
            typer.echo(sentence)
    except StappenplanError as error:
        typer.echo(
            f"office {code} can sign up over HTTP; its website cannot publish yet: {error}. Then "
            f"run `stappenplan topology apply --office {quote(code)}` as the broker's "
            "administrator",
            err=True,
        )
        raise typer.Exit(1) from None


def _require_code(code: str) -> None:
    from services.signup.office_data import is_office_code

    if not is_office_code(code):
        typer.echo("CODE: it has 1 to 35 printable characters, without a slash", err=True)
        raise typer.Exit(2)


def _checked(office: dict[str, Any]) -> dict[str, Any]:
    """The office as HTTP would take it, or exit code 2 with the options at fault."""
    from pydantic import ValidationError

    from infra.context import complaints
    from services.signup.office_data import OfficeBody

    try:
        return OfficeBody.model_validate(
            office | {"phone": office.get("phone") or None}
        ).model_dump()
    except ValidationError as error:
        for option, what in complaints(error):
            typer.echo(f"--{option.replace('_', '-')}: {what}", err=True)
        raise typer.Exit(2) from None


def _show(office: dict[str, Any]) -> None:
    """What is known of an office, a line each."""
    from infra.context import printable

    for name, value in office.items():
        shown = (", ".join(value) if isinstance(value, list) else value) or "–"
        typer.echo(printable(f"  {name.replace('_', ' '):<20}  {shown}"))


@app.command("list")
def list_offices(
    as_json: Annotated[bool, typer.Option("--json", help="for a script")] = False,
) -> None:
    """The offices there are."""
    from sqlmodel import col, select

    from infra import context
    from services.signup.models import Office

    if context.tell_if_not_made(["signup"], as_list=as_json):
        return
    with context.databases(["signup"]) as opened, opened["signup"].read() as session:
        rows = [row.told() for row in session.exec(select(Office).order_by(col(Office.code)))]
    if as_json:
        context.as_json(rows)
        return
    for row in rows:
        shown = f"{row['code']}  {row['name']}  {row['email']}  review {row['review']}"
        typer.echo(context.printable(shown))
