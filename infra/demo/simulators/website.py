"""A stand-in for an office's website: customers who sign up, as CloudEvents documents."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

EXAMPLES = Path(__file__).parent.parent / "examples"
INVALID = "fout-"
OFFICE = "0042"
"""The office of the examples; the one that another of them names is known to nobody."""
Document = dict[str, Any]

TRADES = (
    "Bakkerij", "Slagerij", "Kapsalon", "Garage", "Schildersbedrijf", "Hoveniersbedrijf",
    "Installatiebedrijf", "Boekhandel", "Drukkerij", "Fietsenmaker", "Bloemist", "Adviesbureau",
)  # fmt: skip
NAMES = (
    "De Ster", "Het Anker", "De Linde", "Zonnehof", "Waterkant", "Noorderlicht", "De Molen",
    "Het Kompas", "Duinzicht", "De Vlinder", "Rivierenhof", "De Toren", "Zeezicht", "De Eik",
)  # fmt: skip
TOWNS = (
    ("1234 AB", "Voorbeeldstad"), ("3511 CD", "Utrecht"), ("9711 GH", "Groningen"),
    ("6211 JW", "Maastricht"), ("4811 XC", "Breda"), ("7511 JA", "Enschede"),
)  # fmt: skip
FIRST_NAMES = ("Anna", "Bram", "Cees", "Daan", "Eva", "Fatima", "Geert", "Hélène", "Ilse", "Joost")
LAST_NAMES = ("Bakker", "Visser", "Smit", "Meijer", "Mulder", "Bos", "Vos", "Peters", "Kuiper")
BANKS = ("ABNA", "INGB", "RABO", "TRIO", "KNAB", "SNSB")
MODULES = ("facturatie", "inkoop", "scan", "bank")


def examples(*, valid: bool = True) -> list[Document]:
    """The example sign-ups that ship with the product, in the order of their numbers."""
    files = sorted(file for file in EXAMPLES.glob("*.json") if (INVALID in file.name) is not valid)
    return [fresh(json.loads(file.read_text(encoding="utf-8"))) for file in files]


def mistakes(office: str = OFFICE, *, strangers: bool = True) -> list[Document]:
    """The examples that are rejected, as this office's website sends them.

    The one from an office that nobody knows keeps that office, and is left out without
    `strangers`: where the broker vouches for each website, nobody can send it.
    """
    documents = []
    for example in examples(valid=False):
        of = example["data"]["office_code"]
        if of == OFFICE:
            documents.append(_sent_by(office, example))
        elif strangers and of != office:
            documents.append(example)
    return documents


def _sent_by(office: str, document: Document) -> Document:
    data = {**document["data"], "office_code": office}
    return {**document, "source": f"/website/{office}", "data": data}


def signups(count: int, office: str = OFFICE, seed: int | None = None) -> Iterator[Document]:
    """So many sign-ups for an office: the examples first, then ones made up for the occasion."""
    shipped = examples()[:count]
    for example in shipped:
        yield _sent_by(office, example)
    chance = random.Random(seed)  # noqa: S311 - it makes up companies, not secrets.
    for number in range(len(shipped), count):
        yield _signup(number, office, chance)


def fresh(document: Document) -> Document:
    """The same sign-up as if it were submitted now: with new ids and the time of now."""
    now = datetime.now(UTC).isoformat()
    return {**document, "id": str(uuid4()), "subject": str(uuid4()), "time": now}


def _signup(number: int, office: str, chance: random.Random) -> Document:
    company = f"{chance.choice(TRADES)} {chance.choice(NAMES)} {number}"
    iban = dutch_iban(chance.choice(BANKS), 100_000_000 + chance.randrange(800_000_000))
    data = {
        "office_code": office,
        "customer": _customer(number, company, chance),
        "package": {
            "code": chance.choice(("basis", "compleet")),
            "modules": sorted(chance.sample(MODULES, chance.randrange(3))),
        },
        "payer": {"kind": "customer", "iban": iban, "account_holder": company},
        "preferred_channel": chance.choice(("email", "sms")),
        "terms": {"version": "2026-01", "accepted_at": datetime.now(UTC).isoformat()},
    }
    return fresh(
        {
            "specversion": "1.0",
            "source": f"/website/{office}",
            "type": "signup.submitted.v1",
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def _customer(number: int, company: str, chance: random.Random) -> dict[str, Any]:
    postcode, town = chance.choice(TOWNS)
    return {
        "company": company,
        "legal_form": chance.choice(("eenmanszaak", "vof", "bv")),
        "kvk": f"{chance.randrange(1, 99_999_999):08d}",
        "address": {
            "street": "Dorpsstraat",
            "number": str(chance.randrange(1, 300)),
            "postcode": postcode,
            "city": town,
        },
        "contact": {
            "first_name": chance.choice(FIRST_NAMES),
            "last_name": chance.choice(LAST_NAMES),
        },
        "email": f"klant{number}@voorbeeld{chance.randrange(1000)}.example",
        "mobile": f"+316{chance.randrange(20_000_000, 29_999_999)}",
        "language": chance.choice(("nl", "nl", "nl", "en")),
    }


def dutch_iban(bank: str, account: int) -> str:
    """A made-up IBAN whose check digits are right (ISO 13616)."""
    rest = f"{bank}{account:010d}"
    digits = "".join(str(int(character, 36)) for character in f"{rest}NL00")
    return f"NL{98 - int(digits) % 97:02d}{rest}"
