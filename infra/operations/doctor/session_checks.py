"""How the services' own connections stand: by a pooler or straight, and with which limits."""

from collections.abc import Iterator
from contextlib import closing

from infra.operations.doctor.database_checks import usable_databases
from infra.operations.doctor.finding import Finding
from shared.host.settings import Settings
from shared.persistence.database import Database

NAMES_A_POOLER = "by a pooler: limits come with each transaction, nothing is prepared"
SET_BY_ROLE = (
    "without them a statement or a lock may be waited for without end; have the role keep them: "
    "`ALTER ROLE … SET {name} = '{value}'`, and tell us which pooler this is"
)


def sessions(settings: Settings) -> Iterator[Finding]:
    """Whether every transaction has the limits and the zone that it was to have."""
    if settings.database_url.startswith("sqlite"):
        return
    with usable_databases(settings) as opened:
        for name, (_, looked_at) in opened.items():
            # As a service opens it: what is looked at here otherwise waits without limits.
            with closing(Database(looked_at.url)) as database:
                yield _session(f"limits of {name}", database)


def _session(check: str, database: Database) -> Finding:
    lost = database.lost_limits()
    if not lost:
        how = NAMES_A_POOLER if database.is_pooled() else "hold in every transaction"
        return Finding(check, True, how)
    said = ", ".join(f"{limit.name} is {limit.found}, not {limit.wanted}" for limit in lost)
    return Finding(check, False, said, SET_BY_ROLE.format(name=lost[0].name, value=lost[0].wanted))
