"""What was noticed at a sign-up is kept in the office's language; each reads it in their own."""

import pytest

from shared.events.shapes import Language
from shared.trade.form.warnings import WARNINGS, warning_text, warning_words

VALUES = {"suggestion": "anna@gmail.com", "references": "S-2026-000001, S-2026-000002"}


@pytest.mark.parametrize("code", WARNINGS)
@pytest.mark.parametrize("kept", ["nl", "en"])
def test_each_warning_is_read_in_both_languages(code: str, kept: Language) -> None:
    # Given a warning as it was said to an office of this language
    text = warning_text(code, kept, **VALUES)
    # When others read it, Then it is the same sentence in the language of each.
    words = warning_words(code, text)
    assert words.nl == warning_text(code, "nl", **VALUES)
    assert words.en == warning_text(code, "en", **VALUES)
    assert words.nl != words.en


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("from_a_later_version", "Er is iets {anders}."),
        ("likely_duplicate", "Lijkt op S-2026-000000."),
        ("email_typo", "Het e-mailadres lijkt een tikfout te bevatten."),
        ("kvk_missing", ""),
    ],
)
def test_a_sentence_that_is_not_known_stays_as_it_was_said(code: str, text: str) -> None:
    assert warning_words(code, text) == (text, text)
