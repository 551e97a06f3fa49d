"""Registrations of a process of an earlier version, which keeps no references: found all the same.

Such a process may run beside this one for a while, on the same tables.
"""

from sqlmodel import col, select

from services.registration.models import Registration
from shared.persistence.chores import portion
from shared.persistence.database import Database

AT_ONCE = 200


def find_by_reference(database: Database) -> None:
    """Have found by their references also those of whom an earlier version has heard."""
    own, last = col(Registration.onboarding_id), ""
    unnamed = col(Registration.reference).is_(None), col(Registration.office_code).is_not(None)
    query = select(Registration).where(*unnamed).order_by(own)
    while True:
        with portion(database) as session:
            # Another process that starts at the same moment takes others.
            some = query.where(own > last).limit(AT_ONCE).with_for_update(skip_locked=True)
            rows = session.exec(some).all()
            for row in rows:
                row.reference = (row.accepted or {}).get("reference")
            last = rows[-1].onboarding_id if rows else last
        if not rows:
            return
