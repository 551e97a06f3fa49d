"""The catalogue: what can be ordered and what it costs.

VAT is computed once, over the total, and rounded half up to a whole cent, as article 5a of the
Uitvoeringsbeschikking omzetbelasting 1968 allows.
"""

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shared.base.errors import Reject, WrongSettings
from shared.events.shapes import Language, Package

Cents = Annotated[int, Field(ge=0, le=10_000_000, strict=True)]
Frequency = Literal["monthly", "yearly"]


class CatalogueFault(WrongSettings):
    """The catalogue's file is wrong; the text says what to correct."""


class NotInCatalogue(Reject):
    """A package or module that is not for sale was ordered."""


class Names(BaseModel):
    """A name in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nl: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def in_language(self, language: Language) -> str:
        """The name in this language."""
        return self.en if language == "en" else self.nl


class Article(BaseModel):
    """A package or module: its names, its price without VAT, the modules it includes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Names
    price_cents: Cents
    includes: tuple[str, ...] = ()


class SaleTerms(BaseModel):
    """The terms of sale: by which name they are accepted, and where they can be read in full."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(default="2026-01", min_length=1, max_length=200)
    url: Names | None = None

    @field_validator("url")
    @classmethod
    def _can_be_opened(cls, url: Names | None) -> Names | None:
        if url and not all(text.startswith(("https://", "http://")) for text in (url.nl, url.en)):
            raise ValueError("write the whole address of the terms, beginning with https://")
        return url


@dataclass(frozen=True)
class Line:
    """One line of a quote; a module that the package includes costs nothing."""

    names: Names
    net_cents: int

    def description(self, language: Language) -> str:
        """What the line is for."""
        return self.names.in_language(language)


@dataclass(frozen=True)
class Quote:
    """What a package costs each time it is collected."""

    lines: tuple[Line, ...]
    net_cents: int
    vat_percent: int
    vat_cents: int
    currency: str
    frequency: Frequency

    @property
    def gross_cents(self) -> int:
        """What is collected: net and VAT together."""
        return self.net_cents + self.vat_cents


class Catalogue(BaseModel):
    """Packages, modules, prices, and the terms on which they are sold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Literal["EUR"]
    vat_percent: Annotated[int, Field(ge=0, le=100, strict=True)]
    frequency: Frequency
    packages: dict[str, Article] = Field(min_length=1)
    modules: dict[str, Article]
    terms: SaleTerms = SaleTerms()

    @model_validator(mode="after")
    def _packages_can_be_sold(self) -> "Catalogue":
        for code, package in self.packages.items():
            unknown = sorted(set(package.includes) - set(self.modules))
            if unknown:
                raise ValueError(f"package {code} includes unknown modules: {', '.join(unknown)}")
            if package.price_cents == 0:
                raise ValueError(f"package {code} costs nothing, so there is nothing to collect")
        return self

    @classmethod
    def load(cls, path: Path) -> "Catalogue":
        """Read the catalogue from its TOML file.

        Raises:
            CatalogueFault: the file is missing or wrong; the text says what to correct.
        """
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise CatalogueFault(
                f"the catalogue {path} cannot be read ({error.strerror}); set STAPPENPLAN_CATALOGUE"
            ) from None
        except UnicodeDecodeError as error:
            raise CatalogueFault(
                f"the catalogue {path} is not text in UTF-8: see byte {error.start + 1}"
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise CatalogueFault(f"the catalogue {path} is not TOML: {error}") from None
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'catalogue'}: {fault['msg']}"
                for fault in error.errors(include_url=False, include_input=False)
            )
            raise CatalogueFault(f"the catalogue {path} is wrong: {faults}") from None

    @property
    def package_codes(self) -> Collection[str]:
        """The packages there are."""
        return self.packages.keys()

    @property
    def module_codes(self) -> Collection[str]:
        """The modules there are."""
        return self.modules.keys()

    def price(self, package: Package) -> Quote:
        """What a package with its modules costs.

        Raises:
            NotInCatalogue: the package or a module is not for sale.
        """
        article = self.packages.get(package.code)
        if article is None:
            raise NotInCatalogue(f"there is no package {package.code!r} in the catalogue")
        lines = [Line(article.name, article.price_cents)]
        for code in dict.fromkeys((*article.includes, *package.modules)):
            module = self.modules.get(code)
            if module is None:
                raise NotInCatalogue(f"there is no module {code!r} in the catalogue")
            included = code in article.includes
            lines.append(Line(module.name, 0 if included else module.price_cents))
        net = sum(line.net_cents for line in lines)
        return Quote(
            lines=tuple(lines),
            net_cents=net,
            vat_percent=self.vat_percent,
            vat_cents=_share(net, self.vat_percent),
            currency=self.currency,
            frequency=self.frequency,
        )


def _share(cents: int, percent: int) -> int:
    exact = Decimal(cents) * percent / 100
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
