"""The mandate's consent text, word for word as banks prescribe it and the document prints it."""

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from services.billing.confirmation.document import FOLDER, Confirmation


@cache
def _words(language: str) -> Mapping[str, Any]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def mandate_title(confirmation: Confirmation, language: str) -> str:
    """The name of the mandate, which must hold the word SEPA."""
    return str(_words(language)["mandate"][confirmation.scheme])


def consent_text(confirmation: Confirmation, language: str) -> str:
    """What the payer agrees to, in full; not to be paraphrased."""
    text = str(_words(language)["mandate"][f"{confirmation.scheme}_consent"])
    return text.replace("{creditor}", confirmation.creditor.name)
