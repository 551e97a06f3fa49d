"""Two browsers with one link, at one moment, on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.activation.conftest import MakePractice, make_practice
from tests.integration.pages.signin.conftest import House

__all__ = ["make_practice"]


@pytest.fixture
def houses(make_practice: MakePractice) -> Iterator[list[House]]:
    """Two processes of activation on one database."""
    houses = [House(make_practice()) for _ in range(2)]
    yield houses
    for house in houses:
        house.close()


def test_a_link_signs_one_of_them_in(houses: list[House]) -> None:
    # Given a link that two people have,
    link = houses[0].link()
    browsers = [house.browser() for house in houses]
    # When both press its button at one moment,
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda browser: browser.post(link), browsers))
    # Then one is in, and the other is told that the link was used.
    assert sorted(answer.status_code for answer in answers) == [303, 410]
    assert sorted(browser.is_in() for browser in browsers) == [False, True]


def test_a_log_out_in_one_process_counts_at_once_in_the_other(houses: list[House]) -> None:
    here, elsewhere = (house.browser() for house in houses)
    houses[0].sign_in(here)
    for name in ("session", "pass"):
        elsewhere.keep(name, here.cookie(name) or "")
    assert elsewhere.is_in()
    here.post("/staff/sign-out")
    assert not elsewhere.is_in()
