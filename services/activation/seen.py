"""A customer as lists show them: the columns that these need, and no more.

A row of its own for each customer, such as one that is to be changed needs, would cost a list as
much as all the rest of it.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from services.activation.facts import Facts
from services.activation.known import Known
from services.activation.models import Activation


@dataclass(slots=True)
class Seen(Known):
    """One customer of a list; each field is the column of that name."""

    onboarding_id: str
    facts: Facts
    office_code: str | None
    company: str | None
    heard_at: datetime | None
    blocker: str | None
    since: datetime | None
    reference: str | None
    order_reference: str | None
    administration_number: str | None
    login_name: str | None
    attempt: int
    state: str | None
    ordered_by: str | None
    ordered_at: datetime | None
    sent_at: datetime | None
    expires_at: datetime | None
    one_time_hash: str | None
    own_hash: str | None
    first_login_at: datetime | None


COLUMNS: tuple[Any, ...] = tuple(getattr(Activation, field.name) for field in fields(Seen))
"""What a query selects of which a `Seen` is to be made."""

Customer = Activation | Seen
"""Whatever tells enough of a customer to say where they stand."""
