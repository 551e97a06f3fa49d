"""Finding a customer by what somebody types: an index can serve how a text begins.

Found are company names by the beginning of any of their first words, e-mail addresses, login
names and postcodes with house numbers by how they begin, and references as a whole. What stands in
the middle of a word is not found: no index that both databases have could serve that.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Index, Select, String, and_, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Field, col

from services.activation.models import Activation, ActivationTable
from shared.processing import Loaded
from shared.trade.contact import dns_domain

LONGEST_TERM = 100
WORDS = 4
SHORTEST_WORD = 3
"""A company is found by its first words, but by no article and no legal form within its name."""
LEGAL_FORMS = frozenset({"b.v.", "bv", "n.v.", "nv", "vof", "v.o.f."})
SIGNS = re.compile(r"[^\w@.\-+]+")
HIGHEST = "\U0010ffff"
"""The last of all characters: a text that begins so is below the text with it at its end."""
DUTCH_POSTCODE = re.compile(r"^(\d{4}) ([a-z]{1,2})(?=$| )")
ADDRESS = re.compile(r"(?P<local>[^\s@]+)@(?P<domain>[^\s@]+\.[^\s@]*)")
BY_BYTES = String(LONGEST_TERM).with_variant(String(LONGEST_TERM, collation="C"), "postgresql")
"""A text that is in the order of its characters, whatever language the database is set to."""


class SearchTerm(ActivationTable, table=True):
    """One text by which a customer is found, folded; `id` is onboarding and slot.

    A slot that holds nothing any more is empty.
    """

    __tablename__ = "search_term"
    __table_args__ = (
        Index("search_term_customer", "onboarding_id", "term"),
        Index("search_term_all", "term", "onboarding_id"),
        Index("search_term_office", "office_code", "term", "onboarding_id"),
    )

    id: str = Field(primary_key=True, max_length=60)
    onboarding_id: str = Field(max_length=36)
    office_code: str | None = Field(default=None, max_length=35)
    term: str = Field(sa_type=BY_BYTES)


def fold(text: str) -> str:
    """A text as it is kept to be compared: as `_plain`, with no blank in a Dutch postcode."""
    return DUTCH_POSTCODE.sub(r"\1\2", _plain(text))[:LONGEST_TERM]


def _plain(text: str) -> str:
    """A text without accents, case, and signs but those of an address."""
    plain = text.casefold()
    if not plain.isascii():
        spelt = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in spelt if not unicodedata.combining(letter)).casefold()
    return " ".join(SIGNS.sub(" ", plain).split())


def sought(text: str) -> str:
    """What somebody types, folded; an address has the domain of the DNS, in which it is kept."""
    address = ADDRESS.fullmatch(text.strip())
    if address is not None and not address["domain"].isascii():
        with suppress(ValueError):  # It is no domain, or none yet.
            return fold(f"{address['local']}@{dns_domain(address['domain'])}")
    return fold(text)


def spellings(text: str) -> Sequence[str]:
    """How what somebody types may be kept: what begins as a postcode does may be a name's number.

    As long as a name is typed, nobody knows which: "1001 na" is kept without its blank, "1001
    nachten" with it.
    """
    return list(dict.fromkeys((sought(text), _plain(text)[:LONGEST_TERM])))


def terms_of(activation: Activation) -> Mapping[str, str]:
    """By what a customer is found, by slot."""
    return {slot: term for slot, term in _terms(activation) if term}


def _terms(activation: Activation) -> Iterator[tuple[str, str]]:
    words = fold(activation.company or "").split()
    for number, word in enumerate(words[:WORDS]):
        if not number or (len(word) >= SHORTEST_WORD and word not in LEGAL_FORMS):
            yield f"company{number}", " ".join(words[number:])
    yield "email", fold(activation.email or "")
    yield "login", fold(activation.login_name or "")
    signup = activation.signup
    if signup is not None:
        address = signup.customer.address
        place = f"{fold(address.postcode)} {fold(address.number)}"
        yield "address", place[:LONGEST_TERM]


def keep_terms(activation: Activation, terms: Loaded[SearchTerm]) -> None:
    """Have the customer found by what is known of them now, and by nothing else."""
    wanted = terms_of(activation)
    present = {row.id: row for row in terms.where(onboarding_id=activation.onboarding_id)}
    for slot, term in wanted.items():
        name = f"{activation.onboarding_id}/{slot}"
        row = present.pop(name, None) or terms.add(
            SearchTerm(id=name, onboarding_id=activation.onboarding_id, term=term)
        )
        row.term, row.office_code = term, activation.office_code
    for row in present.values():
        row.term = ""


def found_by(text: str, office: str | None, *what: Any) -> Select[*tuple[Any, ...]]:
    """This of the customers with a term that begins so, each once, by their first such term.

    The term comes before it.
    """
    begins, other = spellings(text), aliased(SearchTerm)
    term = col(SearchTerm.term)
    earlier = or_(
        col(other.term) < term, and_(col(other.term) == term, col(other.id) < col(SearchTerm.id))
    )
    same = and_(col(other.onboarding_id) == col(SearchTerm.onboarding_id), _begin_so(other, begins))
    query = (
        select(SearchTerm, *what)
        .join(Activation, col(Activation.onboarding_id) == col(SearchTerm.onboarding_id))
        .where(_begin_so(SearchTerm, begins), ~exists().where(same, earlier))
    )
    return query if office is None else query.where(col(SearchTerm.office_code) == office)


def _begin_so(terms: Any, begins: Sequence[str]) -> Any:
    term = col(terms.term)
    return or_(*(and_(term >= begin, term < begin + HIGHEST) for begin in begins))
