"""Where outside systems speak: by which exchange what they say is known to be theirs."""

import pytest

from infra.buses import exchange_of_user
from infra.run.event_ingest import exchange_for


@pytest.mark.parametrize(
    ("user", "exchange"),
    [
        ("website-0042", "stappenplan.website.0042"),
        ("website-a b", "stappenplan.website.a b"),
        ("king-billing", "stappenplan.king-billing"),
        ("billing", "stappenplan.events"),
        ("admin", "stappenplan.events"),
        ("website", "stappenplan.events"),
    ],
)
def test_each_line_publishes_to_its_speakers_exchange(user: str, exchange: str) -> None:
    assert exchange_of_user(user) == exchange


@pytest.mark.parametrize(
    ("office", "source", "exchange"),
    [
        ("0042", "/website/0042", "stappenplan.website.0042"),
        ("0042", "/website/0077", "stappenplan.website.0042"),
        ("0042", "/king-billing", "stappenplan.website.0042"),
        (None, "/website/0077", "stappenplan.website.0077"),
        (None, "/king-billing", "stappenplan.king-billing"),
        (None, "/services/billing", "stappenplan.events"),
    ],
)
def test_what_comes_over_http_came_by_the_exchange_of_the_tokens_office(
    office: str | None, source: str, exchange: str
) -> None:
    assert exchange_for(office, source) == exchange
