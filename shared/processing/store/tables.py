"""The tables that every service has beside its own: inbox, outbox, numbers.

They live in each service's own database, so that seen, done and said are one commit.
"""

from datetime import datetime

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, Text, text
from sqlmodel import Field

from shared.persistence.entity import Entity, index_of, moment

DONE = "done"
WAITING = "waiting"
DEAD = "dead"
DROPPED = "dropped"


class ProcessingTable(Entity):
    """The base of the shared tables; their metadata is apart from every service's own."""

    metadata = MetaData()


class Inbox(ProcessingTable, table=True):
    """One row for each message that was ever claimed, under its id.

    `done` rows keep only id and digest. `waiting` rows are due again later: a failed message, or
    a command for later. `dead` rows stay until a person decides; then they are `waiting` again
    (retried) or `dropped`. Only the latter three keep the message itself, and the `exchange` that
    it came by (`Incoming.exchange`). `attempts` decide when it is tried again; `crashes` count
    those since the last one that ended, if only in an error. The
    decision in the row is the last one; `Decision` has them all. `crashes` and `properties` are
    columns under their first names, which a version that still runs beside this one knows.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        index_of("status = 'waiting'", "inbox_waiting", "due_at"),
        # Apart from the timers, of which every customer has some.
        index_of("status = 'waiting' AND attempts > 0", "inbox_retrying", "due_at"),
        index_of("status = 'dead'", "inbox_dead", "received_at"),
        Index("inbox_received", "received_at"),
    )

    id: str = Field(primary_key=True, max_length=80)
    type: str = Field(max_length=255)
    subject: str | None = Field(default=None, max_length=36)
    digest: str = Field(max_length=64)
    status: str = Field(max_length=10)
    received_at: datetime = Field(sa_column=moment())
    attempts: int = 0
    crashes: int = Field(
        default=0,
        sa_column=Column(
            "deaths", Integer, key="crashes", nullable=False, server_default=text("0")
        ),
    )
    due_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    properties: str | None = Field(
        default=None, sa_column=Column("postage", Text, key="properties", nullable=True)
    )
    exchange: str | None = Field(default=None, max_length=255)
    error: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    decided_by: str | None = Field(default=None, max_length=200)
    decided_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    decision: str | None = Field(default=None, sa_column=Column(Text, nullable=True))


class Overflow(ProcessingTable, table=True):
    """How many messages of one speaker were refused and not kept, and what the last one died of.

    Only so many letters of a speaker are kept at a time: whoever sends rubbish without end must
    not fill the database.
    """

    __tablename__ = "refused_overflow"

    speaker: str = Field(primary_key=True, max_length=255)
    number: int
    since: datetime = Field(sa_column=moment())
    last_at: datetime = Field(sa_column=moment())
    error: str = Field(sa_column=Column(Text, nullable=False))


class Decision(ProcessingTable, table=True):
    """What a person decided about a dead letter, message or mail; written once, never changed.

    A letter that dies twice has two of them. `error` and `attempts` are what it had died of.
    `correction` is the body that was sent instead, `original` and `original_properties` what the
    letter was before; all three are empty when nothing was corrected. `round` is the same for all
    that were decided about as one group.
    """

    __tablename__ = "decision"
    __table_args__ = (
        Index("decision_letter", "letter_id"),
        Index("decision_decided", "decided_at"),
        index_of("round IS NOT NULL", "decision_round", "round"),
    )

    id: str = Field(primary_key=True, max_length=36)
    letter_id: str = Field(max_length=80)
    verdict: str = Field(max_length=10)
    decided_by: str = Field(max_length=200)
    decided_at: datetime = Field(sa_column=moment())
    why: str = Field(sa_column=Column(Text, nullable=False))
    error: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    attempts: int = 0
    original: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    original_properties: str | None = Field(
        default=None,
        sa_column=Column("original_postage", Text, key="original_properties", nullable=True),
    )
    correction: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    correction_digest: str | None = Field(default=None, max_length=64)
    round: str | None = Field(default=None, max_length=36)


class Triage(ProcessingTable, table=True):
    """What operators tell each other of a dead letter, message or mail, until it is decided about.

    `owner` sees to it; one that is `on_hold` is left out when its group is retried.
    """

    __tablename__ = "triage"
    __table_args__ = (Index("triage_changed", "changed_at"),)

    letter_id: str = Field(primary_key=True, max_length=80)
    note: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    owner: str | None = Field(default=None, max_length=200)
    on_hold: bool = False
    changed_by: str = Field(max_length=200)
    changed_at: datetime = Field(sa_column=moment())


class Outbox(ProcessingTable, table=True):
    """One row for each event this service has said, committed with the reason for saying it.

    Not published until the broker has confirmed it; until `leased_until` the process that wrote
    or swept the row is busy publishing it. `publish_result` is what the broker last answered while
    it is unpublished, and `error` says the same to a person. Published rows stay for a while, so
    that a queue which missed them can be served again.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        index_of("published_at IS NULL", "outbox_unpublished", "leased_until"),
        # Of the published rows alone: writing an event costs one index less, and whoever looks for
        # unpublished ones cannot be led here.
        index_of("published_at IS NOT NULL", "outbox_published", "published_at"),
    )

    id: str = Field(primary_key=True, max_length=36)
    type: str = Field(max_length=255)
    subject: str = Field(max_length=36)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=moment())
    leased_until: datetime = Field(sa_column=moment())
    published_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    attempts: int = 0
    publish_result: str | None = Field(default=None, max_length=12)
    error: str | None = Field(default=None, sa_column=Column(Text, nullable=True))


class Act(ProcessingTable, table=True):
    """What a person asked for and got: who, for which office, what, about whom, from where.

    Written in the transaction that did it, never changed. `subject` is the onboarding, or what
    else it was about; `details` a JSON object of what the command records of itself.
    """

    __tablename__ = "act"
    __table_args__ = (Index("act_subject", "subject", "at"), Index("act_at", "at"))

    id: str = Field(primary_key=True, max_length=36)
    subject: str = Field(max_length=36)
    what: str = Field(max_length=255)
    who: str = Field(max_length=200)
    office: str | None = Field(default=None, max_length=35)
    address: str = Field(max_length=64)
    at: datetime = Field(sa_column=moment())
    details: str = Field(sa_column=Column(Text, nullable=False))


class Token(ProcessingTable, table=True):
    """A bearer token that was made: whose, what it grants, until when, and whether it was ended.

    Every service's own database has each of them, so that a process needs no other's. The token
    itself is nowhere. `office` is None when it is for all; `scopes` stand apart by blanks.
    """

    __tablename__ = "token"

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=100)
    scopes: str = Field(sa_column=Column(Text, nullable=False))
    office: str | None = Field(default=None, max_length=35)
    made_at: datetime = Field(sa_column=moment())
    expires_at: datetime = Field(sa_column=moment())
    revoked_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    revoked_by: str | None = Field(default=None, max_length=200)
    last_used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class Retention(ProcessingTable, table=True):
    """By which moment old rows are forgotten (`store/retention.py`)."""

    __tablename__ = "retention"

    name: str = Field(primary_key=True, max_length=40)
    moment: datetime = Field(sa_column=moment())


class NumberSeries(ProcessingTable, table=True):
    """The last number handed out of a series, e.g. of customer numbers."""

    __tablename__ = "number_series"

    name: str = Field(primary_key=True, max_length=40)
    last: int
