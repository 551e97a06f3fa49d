"""A mandate that is signed again by mistake: what held before holds again, refusals included."""

from datetime import UTC, date, datetime
from pathlib import Path

from sqlmodel import Session

from services.billing.models import BillingTable, Mandate
from shared.events.shapes import Payer
from shared.persistence.bulk import insert_entities
from shared.persistence.changes import write_changes
from shared.persistence.database import Database
from shared.persistence.rows import columns_in_hand, read_rows
from shared.persistence.statements import Statement

REFUSED = {"O-1/O-1-1": "MD01"}
PAYER = Payer(kind="office", iban="NL91ABNA0417164300", account_holder="Kantoor")
LAST_YEAR = datetime(2025, 11, 24, 9, 0, tzinfo=UTC)
TODAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def mandate(session: Session) -> Mandate:
    (row,) = read_rows(session, Mandate, Statement(columns_in_hand(Mandate)), {})
    return row


def test_what_the_bank_had_refused_is_refused_again(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/billing.db")
    BillingTable.metadata.create_all(database.engine)
    # Given a mandate that the bank has refused, and that is signed again,
    with database.begin() as session:
        refused = Mandate(
            key="0042",
            reference="M-1",
            scheme="CORE",
            iban=PAYER.iban,
            account_holder=PAYER.account_holder,
            signed_on=LAST_YEAR.date(),
            recorded_at=LAST_YEAR,
            refusals=REFUSED,
        )
        insert_entities(session, [refused])
    with database.begin() as session:
        row = mandate(session)
        row.sign(date(2026, 11, 24), "NL02RABO0123456789", "Kantoor", TODAY)
        write_changes(session, [row])
    # When that signature turns out to be a mistake,
    with database.begin() as session:
        row = mandate(session)
        assert not row.refused
        row.withdraw_signature(PAYER)
        write_changes(session, [row])
    # Then the one of before holds again, and so does what the bank said of it.
    with database.read() as session:
        row = mandate(session)
        assert (row.signed_on, row.iban) == (LAST_YEAR.date(), PAYER.iban)
        assert row.refusals == REFUSED
    database.close()
