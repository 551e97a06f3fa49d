"""Every list is read a page at a time; the last page costs what the first does."""

from dataclasses import dataclass

import pytest
from sqlalchemy import text

from infra.composition import service_names
from infra.operations.dead_letters import letters
from tests.integration.plans import stock
from tests.integration.plans.conftest import MakeVeteran, Veteran
from tests.integration.plans.planner import noting, objections


@dataclass(frozen=True)
class List:
    """One list; `rows` are the tables it is made of, each with the condition for being on it."""

    path: str
    key: str
    rows: tuple[str, ...]
    of_offices: bool = True
    limit: int = 60

    def length(self, running: Veteran, office: str | None) -> int:
        """How many rows an onlooker of this office, or of all of them, is to see."""
        mine = f" AND office_code = '{office}'" if office else ""
        chosen = self.rows[:1] if office else self.rows
        with running.engine.connect() as connection:
            return sum(
                connection.execute(text(f"SELECT count(*) FROM {rows}{mine}")).scalar_one()
                for rows in chosen
            )


LISTS = {
    "signup": [List("/api/offices?", "code", ("office WHERE true",), False, 400)],
    "registration": [
        List(
            f"/api/registrations?status={status}&",
            "onboarding_id",
            (f"registration WHERE heard_at IS NOT NULL AND status = '{status}'",),
            limit=limit,
        )
        for status, limit in (
            ("review", 60),
            ("registered", 400),
            ("declined", 60),
            ("withdrawn", 60),
        )
    ],
    "billing": [
        List(
            "/api/collections?status=requested&",
            "end_to_end_id",
            ("collection WHERE status = 'requested' AND held = 0",),
            of_offices=False,
        ),
        List(
            "/api/held-results?",
            "end_to_end_id",
            ("collection WHERE held = 1", "unmatched_result WHERE open = 1"),
            of_offices=False,
        ),
        List("/api/orders?", "order_reference", ("customer_order WHERE true",), limit=400),
        *(
            List(
                f"/api/orders?status={stage}&",
                "order_reference",
                (f"customer_order WHERE stage = '{stage}'",),
                limit=400,
            )
            for stage in ("unsigned", "signed", "released", "suspended")
        ),
        List(
            "/api/orders?q=bakkerij+7&",
            "order_reference",
            ("customer_order WHERE company_key LIKE 'bakkerij 7%'",),
        ),
        List(
            "/api/orders?q=Bakkerij%201&status=released&",
            "order_reference",
            ("customer_order WHERE stage = 'released' AND company_key LIKE 'bakkerij 1%'",),
        ),
    ],
    "activation": [
        List("/api/onboardings?", "onboarding_id", ("activation WHERE true",), limit=400),
        List(
            "/api/onboardings?step=BEVESTIGEN&",
            "onboarding_id",
            ("activation WHERE step = 'BEVESTIGEN'",),
        ),
        List(
            "/api/onboardings?actor=office&",
            "onboarding_id",
            ("activation WHERE actor = 'office'",),
        ),
        List(
            "/api/onboardings?actor=office&step=ACTIVEREN&",
            "onboarding_id",
            ("activation WHERE step = 'ACTIVEREN'",),
        ),
        List(
            "/api/onboardings?q=bakkerij&",
            "onboarding_id",
            ("search_term WHERE term LIKE 'bakkerij%'",),
            limit=400,
        ),
        List("/api/activations?status=ready&", "onboarding_id", ("activation WHERE ready",)),
    ],
}


@pytest.mark.parametrize("service", service_names())
def test_each_list_holds_every_row_once_and_its_last_page_costs_what_its_first_does(
    veteran: MakeVeteran, service: str
) -> None:
    # Given a service with very many rows, and pages that end amid rows of one moment,
    running = veteran(service)
    for listed in LISTS[service]:
        for office in (None, stock.OFFICE) if listed.of_offices else (None,):
            limit = listed.limit if office is None else 23
            # When a list is read to its end,
            with noting(running.engine) as statements:
                pages = list(running.pages(f"{listed.path}limit={limit}", office))
            # Then every row was there once, on pages of the length that was asked for,
            rows = [row[listed.key] for page in pages for row in page]
            assert len(rows) == len(set(rows)) == listed.length(running, office) > 0
            assert {len(page) for page in pages[:-1]} <= {limit}
            # and the database read neither a whole table nor past many rows, and sorted none.
            assert len(statements) >= min(len(pages), 2)
            assert objections(running.engine, statements, running.tables) == []


@pytest.mark.parametrize("service", service_names())
def test_no_list_is_read_whole_whatever_is_asked_for(veteran: MakeVeteran, service: str) -> None:
    running = veteran(service)
    for listed in LISTS[service]:
        # Without a limit a page is short, and no limit makes it long.
        assert len(running.ask("GET", listed.path).json()) <= 100
        assert len(running.ask("GET", f"{listed.path}limit=500").json()) <= 500
        running.ask("GET", f"{listed.path}limit=501", 422)


def test_a_page_that_ended_nowhere_is_refused(veteran: MakeVeteran) -> None:
    # Given a list, When somebody asks for what comes after a place of his own invention,
    running = veteran("registration")
    for after in ("", "?", "bm8", "WzFd", "WyIiXQ", "WyIiLCJcdTAwMDAiLCIxIl0"):
        answer = running.ask("GET", f"/api/registrations?after={after}", 422)
        # Then he is told where to take it from.
        assert answer.json()["code"] == "after_unknown"
        assert answer.json()["errors"][0]["field"] == "after"


def test_a_list_of_dead_letters_is_made_without_reading_what_was_in_them(
    veteran: MakeVeteran,
) -> None:
    # Given a dead letter, whose body may be very large,
    running = veteran("registration")
    running.hear("signup.accepted.v1", stock.onboarding(123), reference="S-2026-1")
    # When the dead letters are listed, Then it is there, and its body was never fetched.
    with noting(running.engine) as statements:
        (letter,) = letters.find({"registration": running.runtime.database})
    assert "other contents" in letter.error
    assert statements
    assert [statement for statement in statements if "inbox.body" in statement] == []
    assert objections(running.engine, statements, running.tables) == []
