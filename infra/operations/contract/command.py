"""`stappenplan contract`: the public contract for machines."""

import typer

app = typer.Typer(no_args_is_help=True, help="The public contract, for machines.")


@app.command()
def asyncapi() -> None:
    """The AsyncAPI 3 document of all events."""
    from infra.composition import topology
    from infra.context import as_json, settings
    from infra.operations.contract.documents import asyncapi_document

    as_json(asyncapi_document(topology(settings())))


@app.command()
def schemas() -> None:
    """A JSON Schema for each event's data."""
    from infra.context import as_json
    from infra.operations.contract.documents import schemas as all_schemas

    as_json(all_schemas())
