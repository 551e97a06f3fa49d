"""Customers whom an earlier version heard of are found, and have a history, like all others."""

from sqlalchemy import delete, update
from sqlmodel import Session, select

from services.activation.earlier_versions import catch_up
from services.activation.history import HeardFact
from services.activation.models import Activation
from services.activation.search import SearchTerm
from tests.contract.test_golden_events import golden, structured
from tests.integration.activation.conftest import Practice

HEARD = ("signup.accepted.v1", "registration.completed.v1", "administration.created.v1")
NEW = (
    *("step", "actor", "blocker", "since"),
    *("reference", "customer_number", "administration_number"),
)
"""The columns that an earlier version does not know."""


def kept(session: Session) -> list[object]:
    """All by what customers are found, and their histories."""
    rows = session.exec(select(Activation).order_by(Activation.onboarding_id)).all()
    terms = session.exec(select(SearchTerm)).all()
    facts = session.exec(select(HeardFact)).all()
    return [
        [[getattr(row, name) for name in NEW] for row in rows],
        sorted((row.id, row.office_code, row.term) for row in terms),
        sorted((row.id, row.at, row.type, row.actor, row.details) for row in facts),
    ]


def test_what_an_earlier_version_did_not_keep_is_made_up_at_the_start(practice: Practice) -> None:
    # Given customers, and what is kept of them,
    runtime = practice.runtime
    runtime.engine.take([structured(golden(name)) for name in HEARD])
    with runtime.reading() as session:
        before = kept(session)
    # as an earlier version has left it,
    with runtime.database.begin() as session:
        session.execute(update(Activation).values(dict.fromkeys(NEW)))
        session.execute(delete(SearchTerm))
        session.execute(delete(HeardFact))
    # When this version starts, Then all of it is there again; once more changes nothing.
    for _ in range(2):
        catch_up(runtime)
        with runtime.reading() as session:
            assert kept(session) == before
