"""The address of a service's database, as it is set: a file of SQLite's, or PostgreSQL's.

Settings are read without what speaks to a database, which takes long to load.
"""

from urllib.parse import parse_qs

from shared.base.addresses import NotAnAddress, read_address

SQLITE, POSTGRES = "sqlite:///", "postgresql+psycopg"
FORM = (
    "write it as postgresql+psycopg://user:password@host:5432/stappenplan_{service}, or "
    "sqlite:///folder/{service}.db"
)
MOST_CONNECTIONS = 16
"""That a process opens to one database of PostgreSQL's, unless it is told otherwise."""
ELSEWHERE = ("host", "service")
"""Options of libpq's that say where the server is: a socket's folder, or a section of a file."""


def check_database_url(url: str) -> str:
    """The address without what surrounds it, if it is one.

    Raises:
        NotAnAddress: it is none, or can be read in two ways; the text holds nothing of it.
    """
    url = url.strip()
    if url.lower().startswith("sqlite"):
        return _sqlite(url)
    address = read_address(url, (POSTGRES,), FORM)
    options = parse_qs(address.query, keep_blank_values=True)
    if not address.host and not any(name in options for name in ELSEWHERE):
        raise NotAnAddress(f"the host is missing; {FORM}")
    if "/" in address.path[1:] or not (address.path[1:] or "service" in options):
        raise NotAnAddress(f"one name of a database stands behind the host; {FORM}")
    return f"{address.scheme}://{url.partition('://')[2]}"


def _sqlite(url: str) -> str:
    file = url[len(SQLITE) :]
    if not url.lower().startswith(SQLITE) or not file or file == ":memory:" or "?" in file:
        raise NotAnAddress(f"a database of SQLite's is a file, without options; {FORM}")
    return SQLITE + file
