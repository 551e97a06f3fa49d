"""`stappenplan doctor`: checks everything, and says what to do about each failure."""

from dataclasses import asdict
from typing import Annotated

import typer


def doctor(as_json: Annotated[bool, typer.Option("--json", help="for a script")] = False) -> None:
    """Check broker, databases, bindings, mail and SMS settings, clock; say what to do."""
    from rich.text import Text

    from infra import context
    from infra.operations.doctor.diagnosis import diagnose

    findings = diagnose(context.settings())
    if as_json:
        context.as_json([asdict(finding) for finding in findings])
    else:
        table = context.table("check", "", "finding")
        for finding in findings:
            good = finding.ok and not finding.warning
            mark = Text("ok", "green") if good else Text("fails", "red")
            if finding.warning:
                mark = Text("warns", "yellow")
            told = finding.finding if good else f"{finding.finding}\n→ {finding.advice}"
            table.add_row(finding.check, mark, context.printable(told))
        context.console().print(table)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
