"""What signup's pages have in common: their templates, and the office whose page it is."""

from pathlib import Path
from urllib.parse import quote

from services.signup.models import Office
from shared.host.runtime import Runtime
from shared.web.auth import not_there
from shared.web.pages import PageTemplates

TEMPLATES = Path(__file__).parents[1] / "templates" / "pages"
templates = PageTemplates(TEMPLATES)

CUSTOMER = "customer"
"""As whom a customer's acts on their own pages are on record."""


def find_office(runtime: Runtime, code: str) -> Office:
    """The office by its code.

    Raises:
        NotFound: there is none.
    """
    with runtime.reading() as session:
        office = session.get(Office, code)
    if office is None:
        raise not_there()
    return office


def segment(code: str) -> str:
    """A code as it stands in the path of an address."""
    return quote(code, safe="")
