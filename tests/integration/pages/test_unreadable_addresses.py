"""An address that cannot be read is answered with a page, which says what to do about it."""

from collections.abc import Iterator

import pytest

from shared.host.settings import Settings
from tests.e2e.stage import Stage, one_process
from tests.visitors import Visitor, staff_visitor, words_of

UNREADABLE = (
    ("/registrations", "status=nope"),
    ("/registrations", "after=zzz"),
    ("/registrations", "limit=0"),
    ("/orders", "q=" + "a" * 300),
    ("/orders", "status=nope"),
    ("/orders", "after=zzz"),
    ("/", "q=" + "a" * 300),
    ("/", "group=nope"),
    ("/", "q=%00"),
    ("/orders", "q=%00"),
)
WORDS = {
    "nl": ("Dit kon niet worden gelezen", "Begin opnieuw"),
    "en": ("This could not be read", "Begin again"),
}
FOR_PROGRAMS = ("Input should", "String should", "No page ended", "cannot be filtered", "NUL")
"""What is told to who writes programs."""
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("pages"), http_port=0, log_level="error")
    with one_process(settings, simulate_king=False) as stage:
        yield stage


@pytest.fixture
def king(stage: Stage) -> Visitor:
    return staff_visitor(stage.settings, stage.addresses["activation"])


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(("path", "query"), UNREADABLE)
def test_a_page_says_what_to_do(king: Visitor, path: str, query: str, language: str) -> None:
    # When a browser opens what cannot be read
    answer = king.http.get(f"{path}?{query}&lang={language}", headers=BROWSER)
    # Then it is refused, with a page in the language of the reader
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"].startswith("text/html")
    for words in WORDS[language]:
        assert words in words_of(answer)
    # And nothing on it is meant for programs, and it leads to where it all begins.
    assert not [words for words in FOR_PROGRAMS if words in answer.text]
    assert f'<a href="{path}">{WORDS[language][1]}</a>' in answer.text


def test_a_program_is_told_as_programs_are(king: Visitor) -> None:
    for headers in ({"Accept": "application/json"}, {"Accept": "*/*"}):
        answer = king.http.get("/?q=%00", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "nul_character")
    answer = king.http.get("/api/orders?q=%00", headers=BROWSER)
    assert (answer.status_code, answer.json()["code"]) == (400, "nul_character")


def test_a_path_that_is_no_text_is_a_page_without_a_way_to_itself(king: Visitor) -> None:
    answer = king.http.get("/onboardings/%00", headers=BROWSER)
    assert answer.status_code == 400
    assert "Dit kon niet worden gelezen" in words_of(answer)
    assert "Begin opnieuw</a>" not in answer.text
    assert "\0" not in answer.text
