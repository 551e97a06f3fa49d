"""Login names: from the company's name, in letters that every text message can carry."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256

MAX_LENGTH = 24
NUMBER_LENGTH = 4
LOW_NUMBERS = ("2", "3")
"""Few: work that met another transaction runs again, but only so often (`RERUNS`)."""
OWN_DIGITS = (3, 4, 6, 12)
LEGAL_FORMS = {"bv", "b.v", "nv", "vof", "v.o.f", "stichting", "eenmanszaak", "maatschap"}


def base_of(company: str) -> str:
    """The first words of a company's name, joined by full stops: `bakkerij.devries`."""
    plain = unicodedata.normalize("NFKD", company).encode("ascii", "ignore").decode().lower()
    words = [word.strip(".") for word in re.findall(r"[a-z0-9.]+", plain)]
    telling = [re.sub(r"\W", "", word) for word in words if word and word not in LEGAL_FORMS]
    if not telling:
        return "klant"
    name = ".".join([telling[0], "".join(telling[1:3])]).strip(".")
    return name[: MAX_LENGTH - NUMBER_LENGTH].strip(".") or "klant"


def names_to_try(base: str, onboarding_id: str) -> list[str]:
    """The names that this customer may have, in the order of preference.

    Companies of one name are told apart by a number: the lowest, and where those are taken, one
    of the customer's own, drawn from their onboarding id. So of many who choose at the same moment
    only the first few are in each other's way, and the last name is never anybody else's.
    """
    numbers = [*LOW_NUMBERS, *_own_numbers(onboarding_id)]
    return [
        base,
        *(f"{base[: MAX_LENGTH - len(number)].rstrip('.')}{number}" for number in numbers),
    ]


def free_name(names: Sequence[str], taken: Collection[str]) -> str:
    """The first of these names that nobody has."""
    return next(name for name in names if name not in taken)


def _own_numbers(onboarding_id: str) -> Iterator[str]:
    drawn = int(sha256(onboarding_id.encode()).hexdigest(), 16)
    for digits in OWN_DIGITS:
        drawn, number = divmod(drawn, 10**digits)
        yield f"{number:0{digits}}"
