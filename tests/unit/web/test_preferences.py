"""What a client would rather have: by weight, whatever the order and case."""

import pytest

from shared.web.preferences import preferences


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", []),
        ("nl", ["nl"]),
        ("en-GB;q=0.4, NL;q=0.9", ["nl", "en-gb"]),
        ("en, nl", ["en", "nl"]),
        ("text/html;q=0, application/json", ["application/json"]),
        ("Text/HTML; level=1; Q=0.5 ,*/*;q=0.8", ["*/*", "text/html"]),
        ("nl;q=much", ["nl"]),
        (",, ;q=1", []),
        ("nl;q=inf, en", ["nl", "en"]),
        ("nl;q=nan, en", ["en"]),
    ],
)
def test_the_most_wanted_comes_first(header: str, wanted: list[str]) -> None:
    assert preferences(header) == wanted


def test_nobody_has_wishes_without_end() -> None:
    assert len(preferences("nl," * 100_000)) == 50
