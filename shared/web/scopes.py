"""Which scopes are KING's alone, what one scope includes, and what each role may do.

The one table: routes, `stappenplan token create` and pages all ask here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

KINGS_ALONE = frozenset(
    {"collections:report", "orders:confirm", "offices:manage", "dead-letters:manage"}
)
"""What touches money, offices and letters of everybody: of no use to whoever acts for an office."""

INCLUDED: Mapping[str, frozenset[str]] = {"users:activate": frozenset({"contacts:amend"})}
"""What comes with a scope: who sends credentials may correct where they go."""


@dataclass(frozen=True, slots=True)
class StaffRole:
    """What a person in this role may do, and whether for one office or for all of them."""

    scopes: frozenset[str]
    all_offices: bool


_OFFICE = frozenset(
    {
        "onboardings:read",
        "registrations:review",
        "administrations:create",
        "orders:read",
        "signup:withdraw",
        "contacts:amend",
    }
)
_KING = frozenset(
    {
        "onboardings:read",
        "registrations:review",
        "orders:read",
        "orders:confirm",
        "collections:report",
        "offices:manage",
        "signup:withdraw",
    }
)

STAFF_ROLES: Mapping[str, StaffRole] = {
    "office": StaffRole(_OFFICE, all_offices=False),
    "activator": StaffRole(_OFFICE | {"users:activate"}, all_offices=False),
    "king": StaffRole(_KING, all_offices=True),
    "operator": StaffRole(frozenset({"onboardings:read", "dead-letters:manage"}), all_offices=True),
}
"""The roles of the contract."""


def allows(granted: Collection[str], scope: str) -> bool:
    """Whether these scopes allow what this one is for: itself, or one that includes it."""
    return scope in granted or any(scope in INCLUDED.get(name, ()) for name in granted)


def refused_to_offices(scopes: Collection[str]) -> list[str]:
    """Those of the scopes that nobody who acts for an office may have, in order."""
    return sorted(KINGS_ALONE & set(scopes))
