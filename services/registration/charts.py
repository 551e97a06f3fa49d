"""Charts of accounts: reading them, and the one that ships with the product.

RGS (Referentie Grootboekschema) codes tie each account to the Dutch national reference scheme,
which the tax office, banks and Statistics Netherlands share.
"""

import csv
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.trade.text import PlainCode

SHIPPED = "standard"
SHIPPED_CHART = Path(__file__).parent / "standard_chart.csv"


class LedgerAccount(BaseModel):
    """One account of the general ledger."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Annotated[str, StringConstraints(pattern=r"^[0-9]{3,8}$")]
    name: Annotated[PlainCode, StringConstraints(min_length=1, max_length=100)]
    rgs: Annotated[str, StringConstraints(pattern=r"^[BW][A-Za-z]{2,11}$")]
    kind: Literal["balance", "result"]


def chart_id(accounts: Sequence[LedgerAccount]) -> str:
    """A fingerprint by which equal charts are one."""
    contents = json.dumps([account.model_dump() for account in accounts], sort_keys=True)
    return hashlib.sha256(contents.encode()).hexdigest()


def as_rows(accounts: Sequence[LedgerAccount]) -> list[dict[str, Any]]:
    """The accounts as they are stored."""
    return [account.model_dump() for account in accounts]


def shipped_chart() -> list[LedgerAccount]:
    """The base chart that ships with the product."""
    with SHIPPED_CHART.open(encoding="utf-8", newline="") as lines:
        return [LedgerAccount.model_validate(row) for row in csv.DictReader(lines)]
