"""`stappenplan topology`: exchanges, queues, bindings, users, derived from the subscriptions."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.messaging.topology.topology import Topology

app = typer.Typer(no_args_is_help=True, help="Exchanges, queues, bindings, users, permissions.")


@app.command()
def show(
    as_json: Annotated[bool, typer.Option("--json", help="for a script")] = False,
    office: Annotated[
        list[str] | None, typer.Option(help="show this office's website; repeatable")
    ] = None,
) -> None:
    """Who hears what, and who may say what: exchange, queues, bindings, users, permissions."""
    from infra import context
    from infra.composition import topology

    wanted, offices = topology(context.settings()), office or ["0042"]
    if as_json:
        context.as_json(_as_data(wanted, offices))
    else:
        _show_to_a_person(wanted, offices)


def _as_data(wanted: "Topology", offices: "Sequence[str]") -> dict[str, Any]:
    """All that the broker is told, whatever the virtual host, but for the passwords."""
    from shared.messaging.topology import definitions as build

    document = {
        part: [{name: value for name, value in row.items() if name != "vhost"} for row in rows]
        for part, rows in build(wanted, offices).document.items()
    }
    return {
        "exchange": document["exchanges"][0],
        "exchanges": document["exchanges"],
        "listeners": [vars(listener) for listener in wanted.listeners],
        "queues": document["queues"],
        "bindings": document["bindings"],
        "users": [{"name": user["name"], "tags": user["tags"]} for user in document["users"]],
        "permissions": document["permissions"],
        "topic_permissions": document["topic_permissions"],
        "policies": document["policies"],
    }


def _show_to_a_person(wanted: "Topology", offices: "Sequence[str]") -> None:
    from infra import context
    from shared.messaging.topology import ADMIN, website_exchange

    wanted = wanted.with_offices(offices)
    table = context.table("user", "may read", "hears (is bound)", "says (may publish)")
    for listener in wanted.listeners:
        reads, hears, says = (
            (listener.name, listener.dead),
            listener.hears or ("–",),
            listener.says or ("nothing",),
        )
        table.add_row(listener.name, *("\n".join(each) for each in (reads, hears, says)))
        table.add_section()
    websites = [
        each for each in wanted.speakers() if each.exchange.startswith(website_exchange(""))
    ]
    for website in websites:
        user = context.printable(website.user)
        table.add_row(user, "nothing", "–", "\n".join(website.says))
    table.add_row(ADMIN, "every queue", "–", "everything")
    _show_exchanges(wanted)
    context.console().print(table)


def _show_exchanges(wanted: "Topology") -> None:
    from infra import context
    from shared.messaging.bus import EXCHANGE
    from shared.messaging.topology import ADMIN

    console = context.console()
    console.print(f"exchange  {EXCHANGE}: topic, durable; what nobody hears comes back")
    for speaker in wanted.speakers():
        told = f"{speaker.exchange}: {speaker.user} alone writes there"
        console.print(f"          {context.printable(told)}")
    console.print("queues    quorum, named after their users, each with a .dead beside it")
    console.print(f"users     nobody but {ADMIN} declares anything")


@app.command()
def apply(
    office: Annotated[
        list[str] | None,
        typer.Option(help="this office's website too, beside those in the database; repeatable"),
    ] = None,
    passwords: Annotated[
        str, typer.Option(help="keep new passwords in this file (mode 0600), not on the screen")
    ] = "",
) -> None:
    """Declare exchanges, queues and bindings on the broker; needs a user who may configure.

    Users, permissions and limits are made through STAPPENPLAN_MANAGEMENT_URL, where that is set.
    """
    from infra.context import settings
    from infra.operations.topology.applying import make_all
    from infra.operations.topology.passwords import BadPasswords

    current = settings()
    if current.embedded:
        typer.echo("the embedded broker declares its topology by itself; nothing to do")
        return
    try:
        for sentence in make_all(current, office or [], passwords):
            typer.echo(sentence)
    except BadPasswords as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


@app.command()
def definitions(
    office: Annotated[
        list[str] | None,
        typer.Option(help="this office's website; repeatable. Left out: those in the database"),
    ] = None,
    vhost: Annotated[str, typer.Option(help="the virtual host")] = "/",
    passwords: Annotated[
        str, typer.Option(help="keep the clear passwords in this file (mode 0600), and reuse them")
    ] = "",
) -> None:
    """Print the file that RabbitMQ imports at boot: topology, users, least privilege.

    With --passwords FILE, users who are in it keep their password and new ones get one.
    """
    from infra.operations.topology.passwords import BadPasswords

    try:
        document, news = _define(office or [], vhost, passwords)
    except BadPasswords as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(json.dumps(document, indent=2))
    typer.echo(news, err=True)


def _define(offices: "Sequence[str]", vhost: str, passwords: str) -> tuple[dict[str, Any], str]:
    """The definitions, and what became of the passwords.

    Raises:
        BadPasswords: their file cannot be read or written.
    """
    from pathlib import Path

    from infra.composition import topology
    from infra.context import settings
    from infra.operations.topology.passwords import keep_passwords, read_passwords
    from infra.operations.topology.present import known_offices
    from shared.messaging.topology import definitions as build

    wanted = topology(settings())
    offices = offices or known_offices(settings()) or ["0042"]
    if not passwords:
        news = (
            "passwords are random, and nobody knows them: to import this locks out whoever has one "
            "now; --passwords FILE keeps them, and reuses those that are there"
        )
        return build(wanted, offices, {}, vhost=vhost).document, news
    before = read_passwords(Path(passwords))
    built = build(wanted, offices, before, vhost=vhost)
    # Kept first: definitions with passwords that nobody knows are of no use.
    keep_passwords(Path(passwords), built.passwords)
    new = len(built.passwords.keys() - before.keys())
    return built.document, f"passwords are in {passwords}: {new} new, {len(before)} as before"
