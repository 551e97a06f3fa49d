"""The catalogue: what can be ordered, and what it costs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.shapes import Package
from shared.host.settings import Settings
from shared.trade.catalogue import Catalogue, CatalogueFault, NotInCatalogue

CATALOGUE = Catalogue.load(Settings().catalogue)

SMALL = """
currency = "EUR"
vat_percent = 21
frequency = "monthly"

[packages.klein]
name = { nl = "Klein", en = "Small" }
price_cents = 1000
includes = ["bank"]

[modules.bank]
name = { nl = "Bank", en = "Bank link" }
price_cents = 250

[modules.scan]
name = { nl = "Scan", en = "Scanning" }
price_cents = 50
"""


def load(folder: Path, text: str) -> Catalogue:
    path = folder / "catalogue.toml"
    path.write_text(text, encoding="utf-8")
    return Catalogue.load(path)


def test_the_shipped_catalogue_has_the_packages_and_modules_of_the_contract() -> None:
    assert set(CATALOGUE.package_codes) == {"basis", "compleet"}
    assert set(CATALOGUE.module_codes) == {"facturatie", "inkoop", "scan", "bank"}


def test_a_quote_adds_the_modules_and_the_vat(tmp_path: Path) -> None:
    # Given a small catalogue, when a package is taken with a module,
    quote = load(tmp_path, SMALL).price(Package(code="klein", modules=("scan",)))
    # Then the quote lists what is included, at no cost, and what comes on top,
    assert [(line.description("nl"), line.net_cents) for line in quote.lines] == [
        ("Klein", 1000),
        ("Bank", 0),
        ("Scan", 50),
    ]
    assert quote.lines[2].description("en") == "Scanning"
    # and VAT is computed once, over the total, half a cent upwards: 21 % of 10.50 is 2.205.
    assert (quote.net_cents, quote.vat_cents, quote.gross_cents) == (1050, 221, 1271)
    assert (quote.vat_percent, quote.currency, quote.frequency) == (21, "EUR", "monthly")


@pytest.mark.parametrize("modules", [("scan", "scan"), ("scan", "bank"), ("bank", "scan", "bank")])
def test_a_module_costs_its_price_once_and_nothing_when_included(
    tmp_path: Path, modules: tuple[str, ...]
) -> None:
    quote = load(tmp_path, SMALL).price(Package(code="klein", modules=modules))
    assert quote.net_cents == 1050


@given(
    st.sampled_from(sorted(CATALOGUE.package_codes)),
    st.lists(st.sampled_from(sorted(CATALOGUE.module_codes)), max_size=6),
)
def test_a_quote_always_adds_up(package: str, modules: list[str]) -> None:
    quote = CATALOGUE.price(Package(code=package, modules=tuple(modules)))
    assert quote.net_cents == sum(line.net_cents for line in quote.lines)
    assert quote.gross_cents == quote.net_cents + quote.vat_cents
    # The VAT is the nearest whole cent.
    assert abs(quote.net_cents * quote.vat_percent - quote.vat_cents * 100) <= 50


@pytest.mark.parametrize(
    ("package", "named"),
    [
        (Package(code="gouden"), "gouden"),
        (Package(code="basis", modules=("loon",)), "loon"),
    ],
)
def test_what_is_not_for_sale_is_named(package: Package, named: str) -> None:
    with pytest.raises(NotInCatalogue, match=named):
        CATALOGUE.price(package)


@pytest.mark.parametrize(
    ("text", "instead", "told"),
    [
        ("price_cents = 1000", "price_cents = 10.00", "packages.klein.price_cents"),
        ("price_cents = 250", "price_cents = -1", "modules.bank.price_cents"),
        ("price_cents = 1000", "price_cents = 0", "klein costs nothing"),
        ("vat_percent = 21", "vat_percent = 121", "vat_percent"),
        ('frequency = "monthly"', 'frequency = "weekly"', "frequency"),
        ('currency = "EUR"', 'currency = "USD"', "currency"),
        ('includes = ["bank"]', 'includes = ["loon"]', "klein includes unknown modules: loon"),
        (', en = "Small"', "", "packages.klein.name.en"),
        ("price_cents = 50", "price_cents = 50\ncolour = 1", "modules.scan.colour"),
        ("[packages.klein]", "[packages.klein", "not TOML"),
    ],
)
def test_a_fault_in_the_catalogue_is_told_by_its_place(
    tmp_path: Path, text: str, instead: str, told: str
) -> None:
    # Given a catalogue with one fault, when it is loaded,
    with pytest.raises(CatalogueFault, match=told) as fault:
        load(tmp_path, SMALL.replace(text, instead, 1))
    # Then the file and the place of the fault are named.
    assert "catalogue.toml" in str(fault.value)


def test_a_missing_catalogue_names_the_setting_to_correct(tmp_path: Path) -> None:
    with pytest.raises(CatalogueFault, match="STAPPENPLAN_CATALOGUE"):
        Catalogue.load(tmp_path / "nowhere.toml")


def test_the_terms_of_sale_have_a_name_and_perhaps_a_page(tmp_path: Path) -> None:
    # Given a catalogue of before, which says nothing of terms, and one that does
    before = load(tmp_path, SMALL)
    page = '{ nl = "https://king.example/nl", en = "https://king.example/en" }'
    after = load(tmp_path, f'{SMALL}\n[terms]\nversion = "2026-07"\nurl = {page}\n')
    # Then each has terms that can be accepted.
    assert (before.terms.version, before.terms.url) == ("2026-01", None)
    assert after.terms.version == "2026-07"
    assert after.terms.url is not None
    assert after.terms.url.in_language("en") == "https://king.example/en"
    # And an address that nobody could open is told.
    with pytest.raises(CatalogueFault, match="beginning with https"):
        load(tmp_path, f"{SMALL}\n[terms]\nurl = {page.replace('https://', 'javascript:')}\n")


def test_a_catalogue_in_another_encoding_is_told_so(tmp_path: Path) -> None:
    # Given a catalogue that was saved in the encoding of an old editor,
    path = tmp_path / "catalogue.toml"
    path.write_bytes(SMALL.replace("Klein", "Één").encode("cp1252"))
    # When it is read, Then the sentence says so, and where.
    with pytest.raises(CatalogueFault, match="is not text in UTF-8: see byte 91"):
        Catalogue.load(path)
