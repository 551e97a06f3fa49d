"""A slip of the pen in a mail address: the domain that was likely meant.

No hint leads away from a mail service that exists, however much it looks like a larger one.
"""

from itertools import product

MAIL_DOMAINS = (
    "gmail.com",
    "hotmail.com",
    "hotmail.nl",
    "outlook.com",
    "live.nl",
    "icloud.com",
    "yahoo.com",
    "ziggo.nl",
    "kpnmail.nl",
    "kpnplanet.nl",
    "planet.nl",
    "xs4all.nl",
    "home.nl",
    "upcmail.nl",
    "hetnet.nl",
    "casema.nl",
)
"""Where most of the customers have their mail; a hint leads to one of these."""

IN_MANY_COUNTRIES = ("gmx", "hotmail", "live", "msn", "outlook", "yahoo", "web", "mail", "email")
ENDINGS = (
    "at", "be", "ca", "ch", "cl", "cn", "com", "com.au", "com.br", "co.uk", "cz", "de", "dk", "ee",
    "es", "eu", "fi", "fr", "gr", "hu", "ie", "it", "li", "lt", "lu", "lv", "ma", "net", "nl", "no",
    "org", "pl", "pt", "ro", "rs", "ru", "se", "si", "sk", "tr", "us",
)  # fmt: skip
MAIL_SERVICES = frozenset(
    {f"{name}.{ending}" for name, ending in product(IN_MANY_COUNTRIES, ENDINGS)}
    | {
        "aol.com", "cloud.com", "fastmail.com", "fmail.com", "googlemail.com", "gmail.nl",
        "hey.com", "hmail.com", "homes.nl", "inbox.com", "jmail.com", "mac.com", "mailbox.org",
        "me.com", "plant.nl", "planet.be", "pm.me", "proton.me", "protonmail.com", "qmail.com",
        "rocketmail.com", "tmail.com", "tutanota.com", "umail.com", "vmail.com", "xmail.com",
        "xs4all.net", "ymail.com", "zmail.com", "zoho.com",
    }
)  # fmt: skip
"""Mail services beside those: an address there is meant as it stands."""


def likely_meant(address: str) -> str | None:
    """The address with a common domain, when the one given is a letter or two beside it."""
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    if domain in MAIL_DOMAINS or domain in MAIL_SERVICES:
        return None
    near = [common for common in MAIL_DOMAINS if _distance(domain, common) <= 1]
    return f"{local}@{near[0]}" if near else None


def _distance(word: str, other: str) -> int:
    """How many letters to add, drop, change or swap (Damerau, optimal string alignment)."""
    if abs(len(word) - len(other)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(word, 1):
        above, row, before2 = row, [i], before
        before = above
        for j, b in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and word[i - 2] == b:
                cost = min(cost, before2[j - 2] + 1)
            row.append(cost)
    return row[-1]
