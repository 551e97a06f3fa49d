"""Login names: from the company's name, in letters that every text message can carry."""

import re
import unicodedata
from collections.abc import Collection

LONGEST = 24
ROOM_FOR_NUMBER = 4
LEGAL_FORMS = {"bv", "b.v", "nv", "vof", "v.o.f", "stichting", "eenmanszaak", "maatschap"}


def base_of(company: str) -> str:
    """The first words of a company's name, joined by full stops: `bakkerij.devries`."""
    plain = unicodedata.normalize("NFKD", company).encode("ascii", "ignore").decode().lower()
    words = [word.strip(".") for word in re.findall(r"[a-z0-9.]+", plain)]
    telling = [re.sub(r"\W", "", word) for word in words if word and word not in LEGAL_FORMS]
    if not telling:
        return "klant"
    name = ".".join([telling[0], "".join(telling[1:3])]).strip(".")
    return name[: LONGEST - ROOM_FOR_NUMBER].strip(".") or "klant"


def free_name(base: str, taken: Collection[str]) -> str:
    """The base itself, or the base with the first number that nobody has."""
    if base not in taken:
        return base
    number = 2
    while f"{base}{number}" in taken:
        number += 1
    return f"{base}{number}"
