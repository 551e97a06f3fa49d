"""The groups of the work list: customers who wait for the same thing, and whose work they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal, select, union_all
from sqlmodel import Session, col

from services.activation.models import Activation
from shared.base.words import Words

COUNTED_TO = 500
"""How far a group is counted: beyond that, how many there are changes nobody's day."""


@dataclass(frozen=True)
class Group:
    """Customers with the same blocker; `name` stands in the address of their list."""

    name: str
    blocker: str
    title: Words
    explanation: Words


GROUPS = (
    Group(
        "check",
        "review",
        Words("Controleren en aanmelden", "Check and register"),
        Words(
            "Nieuwe inschrijvingen die u controleert en bij KING aanmeldt.",
            "New sign-ups for you to check and to register with KING.",
        ),
    ),
    Group(
        "set-up",
        "administration_failed",
        Words("Inrichten mislukt", "Set-up failed"),
        Words(
            "De administratie kon niet worden gemaakt; kies een andere basisadministratie.",
            "The administration could not be made; choose another base administration.",
        ),
    ),
    Group(
        "activate",
        "ready_to_activate",
        Words("Activeren", "Activate"),
        Words(
            "Vrijgegeven en nog nooit geactiveerd: stuur de inloggegevens.",
            "Released and never activated: send the login details.",
        ),
    ),
    Group(
        "undelivered",
        "undeliverable",
        Words("Niet afgeleverd", "Not delivered"),
        Words(
            "De inloggegevens kwamen niet aan; verbeter het adres of kies een andere weg.",
            "The login details did not arrive; correct the address or choose another way.",
        ),
    ),
    Group(
        "expired",
        "credentials_expired",
        Words("Wachtwoord verlopen", "Password expired"),
        Words(
            "Geactiveerd, maar het eenmalige wachtwoord geldt niet meer; stuur een nieuw.",
            "Activated, but the one-time password is no longer valid; send another.",
        ),
    ),
    Group(
        "held",
        "collection_held",
        Words("Incasso klopt niet", "Collection does not match"),
        Words(
            "Het resultaat klopt niet met de order; KING beslist.",
            "The result does not match the order; KING decides.",
        ),
    ),
    Group(
        "not-collected",
        "collection_failed",
        Words("Incasso mislukt", "Collection failed"),
        Words(
            "Het bedrag kon niet worden geïncasseerd; de betaler moet iets doen.",
            "The amount could not be collected; the payer must do something.",
        ),
    ),
    Group(
        "taken-back",
        "release_withdrawn",
        Words("Vrijgave teruggenomen", "Release taken back"),
        Words(
            "Het geld ging terug; de klant kan niet inloggen of niet worden geactiveerd.",
            "The money went back; the customer cannot log in, or cannot be activated.",
        ),
    ),
    Group(
        "unsigned",
        "signature_missing",
        Words("Wacht op ondertekening", "Waiting for a signature"),
        Words(
            "De order-/incassobevestiging is nog niet ondertekend terug.",
            "The order and direct-debit confirmation has not come back signed.",
        ),
    ),
    Group(
        "collecting",
        "collection_expected",
        Words("KING incasseert", "KING is collecting"),
        Words(
            "Ondertekend; het bedrag wordt geïncasseerd.",
            "Signed; the amount is being collected.",
        ),
    ),
    Group(
        "not-logged-in",
        "login_expected",
        Words("Nog niet ingelogd", "Not logged in yet"),
        Words(
            "Geactiveerd; de klant heeft nog niet ingelogd.",
            "Activated; the customer has not logged in yet.",
        ),
    ),
)
BY_NAME: Mapping[str, Group] = {group.name: group for group in GROUPS}

_TROUBLE = ("undelivered", "expired", "held", "not-collected", "taken-back")
DUE: Mapping[str, Sequence[str]] = {
    "office": ("check", "set-up", *_TROUBLE),
    "activator": ("check", "activate", "set-up", *_TROUBLE),
    "king": ("held", "not-collected", "taken-back", "unsigned"),
    "operator": ("set-up", *_TROUBLE),
}
"""What each role sees first, in this order; whoever waits for others is in the lists beside."""

SENDABLE = frozenset({"activate", "undelivered", "expired"})
"""The groups whose customers are helped by sending them their login details."""


def counts(session: Session, office: str | None) -> Mapping[str, int]:
    """How many customers are in each group, by its name; `COUNTED_TO` and one where more are."""
    parts = []
    for group in GROUPS:
        some = select(literal(1)).where(col(Activation.blocker) == group.blocker)
        if office is not None:
            some = some.where(col(Activation.office_code) == office)
        rows = some.limit(COUNTED_TO + 1).subquery()
        parts.append(select(literal(group.name), func.count()).select_from(rows))
    return {str(row[0]): int(row[1]) for row in session.execute(union_all(*parts))}


def waiting(group: Group, office: str | None, *what: Any) -> Any:
    """A query for these columns of the group's customers; who waits longest comes first."""
    query = select(*what).where(col(Activation.blocker) == group.blocker)
    if office is not None:
        query = query.where(col(Activation.office_code) == office)
    return query.order_by(col(Activation.since), col(Activation.onboarding_id))
