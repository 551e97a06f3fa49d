"""A list of dead letters as an operator reads it: in groups that died of the same, with names."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import func
from sqlmodel import Session, col, select

from infra.operations.dead_letters.letters import DeadLetter, find
from shared.host.service import CustomerName, CustomerNames, Service
from shared.persistence.bulk import in_
from shared.persistence.database import Database
from shared.processing.store.tables import Inbox

VARIABLE = re.compile(
    r"""[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}  # an id
    | '[^']*' | "[^"]*"                              # what is quoted
    | \S+@\S+ | \d+                                 # an address, a number
    | (?<=[a-z,:]\ )[A-Z]\S*(?:\s[A-Z]\S*)*          # names within a sentence
    """,
    re.VERBOSE,
)
"""What differs between two letters that died of the same: whom and what it is about."""

READ_BYTES = 16 * 1024
"""Larger messages are not opened for a list; an event of ours has a tenth of it."""
NOBODY = CustomerName(None, None)


def listed(service: Service, database: Database, limit: int) -> list[DeadLetter]:
    """The oldest dead letters of a service, in groups, each with its customer and their step."""
    letters = find({service.name: database}, limit)[:limit]
    return grouped(
        letter.model_copy(update={"step": service.step_of(letter.type)})
        for letter in named(database, letters, service.customers)
    )


def grouped(letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """The letters in groups that died of the same, the group of the oldest letter first."""
    groups: dict[str, list[DeadLetter]] = {}
    for letter in letters:
        groups.setdefault(fingerprint_of(letter), []).append(letter)
    return [
        letter.model_copy(update={"fingerprint": fingerprint, "alike": len(group)})
        for fingerprint, group in groups.items()
        for letter in group
    ]


def fingerprint_of(letter: DeadLetter) -> str:
    """Equal for letters of one kind that died of the same, whatever its ids and numbers are."""
    cause = VARIABLE.sub("#", letter.error)
    said = json.dumps([letter.service, letter.kind, letter.type, cause])
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def named(
    database: Database, letters: Sequence[DeadLetter], names: CustomerNames | None
) -> list[DeadLetter]:
    """The letters of a service, each with the name of its customer where the service knows one.

    Of a letter that was refused it is the customer of whom it says that it is about them.
    """
    with database.read() as session:
        claimed = _claimed_subjects(session, [row.id for row in letters if row.subject is None])
        about = [row.subject or claimed.get(row.id) for row in letters]
        customers = names(session, sorted(filter(None, about))) if names else {}
    return [
        letter.model_copy(update={"subject": subject, **vars(customers.get(subject or "", NOBODY))})
        for letter, subject in zip(letters, about, strict=True)
    ]


def _claimed_subjects(session: Session, letter_ids: Sequence[str]) -> dict[str, str]:
    """Whom refused messages say they are about, where that can be read; large ones are left."""
    body = col(Inbox.body)
    own = in_(session, Inbox.__table__.c.id, letter_ids)  # type: ignore[attr-defined]
    rows = session.exec(select(Inbox.id, body).where(own, func.length(body) <= READ_BYTES))
    subjects = ((letter_id, _subject_of(content or b"")) for letter_id, content in rows)
    return {letter_id: subject for letter_id, subject in subjects if subject is not None}


def _subject_of(body: bytes) -> str | None:
    try:
        return str(UUID(from_json(body)["subject"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
