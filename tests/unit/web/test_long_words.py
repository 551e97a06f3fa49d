"""Which words in a list may break: those that are longer than any ordinary one, and no others."""

import pytest
from markupsafe import Markup

from shared.web.pages.long_words import breakable

NAME = "Hottentottententententoonstellingsmakersgilde"
MARKED = f'<span class="long-word">{NAME}</span>'


@pytest.mark.parametrize(
    "text",
    ["Bakkerij De Korenbloem", "S-2026-000001", "NL91ABNA0417164300", "€ 1.234.567,89", "", None],
)
def test_what_is_short_stays_as_it_was(text: str | None) -> None:
    assert breakable(text) == (text or "")


def test_a_long_word_is_marked_among_the_others() -> None:
    assert breakable(f"Bakkerij {NAME} B.V.") == f"Bakkerij {MARKED} B.V."


def test_what_stands_in_a_tag_is_left_alone() -> None:
    link = Markup('<a href="/onboardings/{0}">{0}</a>').format(NAME)
    assert breakable(link) == f'<a href="/onboardings/{NAME}">{MARKED}</a>'


def test_what_was_typed_stays_escaped_and_is_never_cut() -> None:
    # Given a word of signs that have other names in markup
    typed = "<&" * 15
    # Then it is one word, as long as it was, and no markup.
    assert breakable(typed) == f'<span class="long-word">{"&lt;&amp;" * 15}</span>'
