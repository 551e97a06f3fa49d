"""Whether a password of the customer's own can be guessed.

Length matters and commonness; there are no rules about kinds of characters (OWASP ASVS 5.0,
section 6.2).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.activation.login.passwords import own_form
from shared.base.words import Words

OWN_MINIMUM = 12
OWN_MAXIMUM = 128
SAFE_SCORE = 3
"""Of zxcvbn's scores, 0 to 4: safe where guesses are slow, as argon2 and the locks make them."""
CONTEXT = ("imuis", "king", "muis", "online", "software", "boekhouden", "boekhouding")
COMMON = ("administratie", "wachtwoord", "password", "welkom", "welcome", "geheim")
"""Words that a customer of a Dutch bookkeeping program thinks of first."""

REST = 8
"""So many characters a password has beside such words."""
MEANT = str.maketrans("013457@$!", "oieastasi")
"""What people write for a letter, and think it hides the word."""

SEEN = 72
"""So many characters are looked at: the time that it takes grows with their square."""
LETTERLIKE = frozenset("4@8({[<369&#!1/|0$5+7%2")
"""What zxcvbn takes for a letter written otherwise; it tries all combinations of those present."""
LETTERLIKE_KINDS = 12
SEEN_LETTERLIKE = 20
"""So many characters of a password with more kinds of these: 72 would take ten seconds."""

TOO_SHORT = Words(
    f"Kies een wachtwoord van minstens {OWN_MINIMUM} tekens.",
    f"Choose a password of at least {OWN_MINIMUM} characters.",
)
TOO_LONG = Words(
    f"Kies een wachtwoord van hoogstens {OWN_MAXIMUM} tekens.",
    f"Choose a password of at most {OWN_MAXIMUM} characters.",
)
TOO_EASY = Words(
    "Dit wachtwoord is te makkelijk te raden; kies een ander, bijvoorbeeld vier losse woorden.",
    "This password is too easy to guess; choose another, four unrelated words for example.",
)
UNSEEN_SIGNS = Words(
    "Kies een wachtwoord zonder onzichtbare tekens.",
    "Choose a password without invisible characters.",
)


@dataclass(frozen=True)
class Judgement:
    """How hard a password is to guess, 0 to 4, and why it will not do, where it will not."""

    score: int
    objection: Words | None


def judge(password: str, context: Iterable[str]) -> Judgement:
    """What to say of this password as it was typed; `context` are the customer's names."""
    form = own_form(password)
    if form is None:
        return Judgement(0, UNSEEN_SIGNS if password else TOO_SHORT)
    if len(form) < OWN_MINIMUM:
        return Judgement(0, TOO_SHORT)
    if len(form) > OWN_MAXIMUM:
        return Judgement(0, TOO_LONG)
    words = [word.casefold() for word in (*CONTEXT, *COMMON, *context) if len(word) >= 4]
    lowered = form.casefold()
    is_mostly_words = any(_is_mostly(text, words) for text in (lowered, lowered.translate(MEANT)))
    score = 0 if is_mostly_words else _score(form, words)
    return Judgement(score, TOO_EASY if score < SAFE_SCORE else None)


def objection(password: str, context: Iterable[str]) -> Words | None:
    """Why this password will not do, or None when it will; `context` are the customer's names."""
    return judge(password, context).objection


def _is_mostly(lowered: str, words: Iterable[str]) -> bool:
    """Whether little is left of it without these words: some digits, say."""
    for word in sorted(words, key=len, reverse=True):
        lowered = lowered.replace(word, "")
    return len(lowered) < REST


def _score(password: str, words: list[str]) -> int:
    # Its lists take a tenth of a second to load; the first who chooses a password waits for them.
    from zxcvbn import zxcvbn  # type: ignore[import-untyped]

    kinds = len(LETTERLIKE.intersection(password))
    seen = password[: SEEN if kinds <= LETTERLIKE_KINDS else SEEN_LETTERLIKE]
    score: int = zxcvbn(seen, user_inputs=words)["score"]
    return score
