"""Which passwords of their own customers may choose."""

import time

import pytest

from services.activation.login.strength import LETTERLIKE, objection

CONTEXT = ("bakkerij.voorbeeld", "Bakkerij", "Voorbeeld")


@pytest.mark.parametrize(
    "weak",
    [
        "kort",
        "x" * 129,
        "aaaaaaaaaaaaaaaa",
        "qwertyuiop12",
        "geheim123456",
        "welkom123456",
        "Welkom2026!!",
        "W3lkom2026!!",
        "wachtwoord123456",
        "administratie1",
        "bakkerij.voorbeeld1",
        "Voorbeeld2026",
        "imuisonline2026",
        "KingSoftware1",
        "abcdefghijklmnop",
        "1q2w3e4r5t6y",
    ],
)
def test_a_password_that_can_be_guessed_is_refused_with_the_reason(weak: str) -> None:
    sentences = objection(weak, CONTEXT)
    assert sentences
    assert all(sentence.endswith(".") for sentence in sentences)


@pytest.mark.parametrize(
    "good",
    [
        "vier paarden drinken thee",
        "Drie Rode Fietsen-7",
        "correct horse battery",
        "k7mq3xwp9fzt",
        "mijn koning drinkt melk",
    ],
)
def test_length_is_all_that_a_good_password_needs(good: str) -> None:
    assert objection(good, CONTEXT) is None


@pytest.mark.parametrize(
    "signs", ["".join(sorted(LETTERLIKE)), "4@8({[<369&#", "aB3$", "0123456789"]
)
def test_a_password_of_any_kind_is_judged_within_seconds(signs: str) -> None:
    # Given the longest password there may be, of signs that stand for letters,
    password = (signs * 128)[:128]
    began = time.process_time()
    # When it is judged, Then that took no processor for long.
    objection(password, CONTEXT)
    assert time.process_time() - began < 4
