"""How the desk calls results on hold: why a person must look, and what each choice leads to."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.base.words import Words


@dataclass(frozen=True)
class Choice:
    """What accepting and dismissing mean for one kind of result."""

    why: Words
    explained: Words
    accept: Words
    accepted: Words
    dismiss: Words
    dismissed: Words


COUNTS = Words("Meetellen", "Let it count")
COUNTS_NOT = Words("Niet meetellen", "Do not let it count")

WHY: Mapping[str, Choice] = {
    "deviating_amount": Choice(
        Words("Een ander bedrag dan verwacht", "Another amount than expected"),
        Words(
            "KING meldt een bedrag dat niet dat van de order is.",
            "KING reports an amount that is not the order's.",
        ),
        COUNTS,
        Words(
            "Het resultaat geldt voor de order. Wat te veel is betaald, blijft genoteerd om terug "
            "te betalen.",
            "The result holds for the order. What was paid too much stays noted to be paid back.",
        ),
        COUNTS_NOT,
        Words(
            "Er verandert niets aan de order; het hele bedrag moet nog komen.",
            "Nothing changes for the order; the full amount is still to come.",
        ),
    ),
    "after_failure": Choice(
        Words("Gelukt, na eerst mislukt", "Succeeded, after it had failed"),
        Words(
            "De bank meldde eerder dat deze incasso was mislukt. Ga bij KING na of het geld er is.",
            "The bank said before that this direct debit had failed. Ask KING whether the money "
            "is there.",
        ),
        Words("Het geld is er", "The money is there"),
        Words(
            "De incasso geldt als gelukt, en de klant kan worden vrijgegeven.",
            "The direct debit counts as succeeded, and the customer can be released.",
        ),
        Words("Het geld is er niet", "The money is not there"),
        Words(
            "De incasso blijft mislukt; een nieuwe poging volgt waar dat zin heeft.",
            "The direct debit stays failed; another attempt follows where that makes sense.",
        ),
    ),
    "paid_twice": Choice(
        Words("Twee keer betaald", "Paid twice"),
        Words(
            "Voor deze order was al betaald. Dit is een tweede betaling.",
            "This order was paid already. This is a second payment.",
        ),
        Words("Het geld is er", "The money is there"),
        Words(
            "Het bedrag blijft genoteerd om terug te betalen aan de betaler.",
            "The amount stays noted to be paid back to the payer.",
        ),
        Words("Het geld is er niet", "The money is not there"),
        Words(
            "Dit geldt niet als betaling; er hoeft niets voor terug.",
            "This is no payment; nothing need be paid back for it.",
        ),
    ),
    "withdrawn": Choice(
        Words("Betaald door een klant die gestopt is", "Paid by a customer who has left"),
        Words(
            "De klant is gestopt, en er is toch geld binnengekomen.",
            "The customer has left, and money came in all the same.",
        ),
        Words("Het geld is er", "The money is there"),
        Words(
            "Het bedrag blijft genoteerd om terug te betalen aan de betaler.",
            "The amount stays noted to be paid back to the payer.",
        ),
        Words("Het geld is er niet", "The money is not there"),
        Words(
            "Dit geldt niet als betaling; er hoeft niets voor terug.",
            "This is no payment; nothing need be paid back for it.",
        ),
    ),
    "deceased": Choice(
        Words("De rekeninghouder is overleden", "The account holder has died"),
        Words(
            "De bank meldt dat de rekeninghouder is overleden. Er wordt niets meer geïncasseerd "
            "tot u beslist.",
            "The bank reports that the account holder has died. Nothing more is collected until "
            "you decide.",
        ),
        Words("Het klopt", "It is so"),
        Words(
            "Er wordt onder deze machtiging niets meer geïncasseerd. Neem contact op met het "
            "kantoor.",
            "Nothing more is collected under this mandate. Please contact the office.",
        ),
        Words("Het is een vergissing", "It is a mistake"),
        Words(
            "KING wordt opnieuw gevraagd te incasseren.",
            "KING is asked to collect again.",
        ),
    ),
    "order_unknown": Choice(
        Words("De order is niet bekend", "The order is not known"),
        Words(
            "KING meldt een resultaat van een order die hier niet bestaat. Vraag KING waar het bij "
            "hoort.",
            "KING reports on an order that does not exist here. Ask KING what it belongs to.",
        ),
        COUNTS,
        COUNTS,
        Words("Terzijde leggen", "Put it aside"),
        Words(
            "Het resultaat telt nergens voor mee en verdwijnt van deze lijst.",
            "The result counts for nothing and leaves this list.",
        ),
    ),
}

REPORTED: Mapping[str, Words] = {
    "submitted": Words("aangeboden", "submitted"),
    "succeeded": Words("gelukt", "succeeded"),
    "failed": Words("mislukt", "failed"),
    "returned": Words("teruggekomen", "returned"),
    "refunded": Words("teruggehaald", "refunded"),
    "reversed": Words("teruggestort", "reversed"),
}

DONE: Mapping[str, Words] = {
    "accept": Words(
        "Uw besluit is vastgelegd: het resultaat telt mee.",
        "Your decision is recorded: the result counts.",
    ),
    "dismiss": Words(
        "Uw besluit is vastgelegd: het resultaat telt niet mee.",
        "Your decision is recorded: the result does not count.",
    ),
    "over": Words(
        "Over dat resultaat is al beslist, of het is intussen opgelost.",
        "That result was decided before, or has settled itself meanwhile.",
    ),
}
"""What was done just now, by the word for it in the address."""
