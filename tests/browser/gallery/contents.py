"""What the gallery's pages are filled with: nobody's data, always the same."""

from datetime import UTC, datetime
from typing import Any

from shared.base.errors import FieldError
from shared.web.pages import FormView

AT = datetime(2026, 11, 24, 9, 3, tzinfo=UTC)
NAMES = (
    "INSCHRIJVEN",
    "AANMELDEN",
    "INRICHTEN",
    "BEVESTIGEN",
    "VRIJGEVEN",
    "ACTIVEREN",
    "INLOGGEN",
)
NOTES = (
    "U heeft zich ingeschreven op de website van uw kantoor.",
    "Uw kantoor heeft uw gegevens gecontroleerd en u aangemeld.",
    "Uw administratie 100042 staat klaar.",
    "Wij wachten op de ondertekende bevestiging van de betaler.",
    None,
    None,
    None,
)
BRANDING = {
    "name": "Administratiekantoor De Wit",
    "phone": "010 123 45 67",
    "email": "klanten@dewit.example",
}


def _steps(current: int, status: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "status": "done" if place < current else status if place == current else "waiting",
            "note": NOTES[place],
            "at": AT if place < current else None,
        }
        for place, name in enumerate(NAMES)
    ]


STEPS = _steps(3, "current")
STUCK = _steps(2, "failed")
TIMELINE = [
    {
        "at": AT,
        "what": "Orderbevestiging verstuurd",
        "who": None,
        "details": "per e-mail aan de betaler, met een kopie aan het kantoor",
        "kind": "mail",
    },
    {
        "at": AT,
        "what": "Orderbevestiging gemaakt",
        "who": None,
        "details": "PDF, 48 kB",
        "kind": "document",
    },
    {
        "at": AT,
        "what": "Aangemeld bij KING",
        "who": "A. Voorbeeld, kantoor 0042",
        "details": None,
        "kind": "act",
    },
    {
        "at": AT,
        "what": "Ingeschreven",
        "who": None,
        "details": "op de website van het kantoor",
        "kind": "event",
    },
]
FILLED = FormView.of(
    {
        "company": "Bakkerij 't Stoepje",
        "email": "info@gmial.example",
        "postcode": "3011 AB",
        "legal_form": "bv",
        "modules": ["bank", "scan"],
        "payer": "customer",
    },
    [
        FieldError(
            field="email",
            code="invalid",
            message="Dit e-mailadres klopt niet. Bedoelde u gmail.example?",
        ),
        FieldError(field="postcode", code="missing", message="Vul de postcode in, zoals 1234 AB."),
        FieldError(field="payer", code="missing", message="Kies wie er betaalt."),
        FieldError(
            field="terms",
            code="missing",
            message="Ga akkoord met de voorwaarden om verder te gaan.",
        ),
    ],
)
