"""Why a collection failed or went back: the bank's code, what it means, and what to do.

Codes are ISO 20022 external reason codes as Dutch banks use them in SEPA direct debit; one that
is not known is kept raw and left to a person.
"""

from dataclasses import dataclass

from shared.events.shapes import Language
from shared.trade.pauses import RETRIES

Texts = tuple[str, str]

NEW_ACCOUNT: Texts = (
    "Geef een ander IBAN door en onderteken een nieuwe machtiging.",
    "Please give us another IBAN and sign a new mandate.",
)
CALL_BANK: Texts = (
    "Neem contact op met uw bank, of met ons.",
    "Please contact your bank or us.",
)
WE_REPAIR: Texts = (
    "Wij herstellen dit; u hoeft niets te doen.",
    "We will put this right; there is nothing you need to do.",
)
WE_RETRY: Texts = (
    "Zorg dat er dan voldoende saldo is.",
    "Please make sure there is enough money in the account by then.",
)
WE_CALL: Texts = ("Wij nemen contact met u op.", "We will contact you.")


@dataclass(frozen=True)
class Reason:
    """One reason code: its normalised cause, what it means, and the policy that goes with it.

    `retry_after_days` is None when another attempt makes no sense. `ends_mandate` says that the
    bank refuses the mandate for good, whatever is collected under it; `stops_everything` that a
    person must look before anything else is done.
    """

    code: str
    cause: str
    texts: Texts
    advice: Texts
    retry_after_days: int | None = None
    max_retries: int = 0
    payer_is_told: bool = True
    ends_mandate: bool = False
    stops_everything: bool = False

    def meaning(self, language: Language) -> str:
        """What the code means, for the payer."""
        return self.texts[1] if language == "en" else self.texts[0]

    def action(self, language: Language, *, again: bool) -> str:
        """What happens next, for the payer; another attempt is promised only where one is made."""
        advice = self.advice if again or self.advice is not WE_RETRY else WE_CALL
        return advice[1] if language == "en" else advice[0]


def _theirs(code: str, cause: str, dutch: str, english: str, advice: Texts) -> Reason:
    return Reason(code, cause, (dutch, english), advice)


def _final(code: str, cause: str, dutch: str, english: str, advice: Texts) -> Reason:
    return Reason(code, cause, (dutch, english), advice, ends_mandate=True)


def _retried(code: str, cause: str, dutch: str, english: str, advice: Texts = WE_RETRY) -> Reason:
    return Reason(code, cause, (dutch, english), advice, *RETRIES[code])


def _ours(code: str, cause: str, dutch: str, english: str) -> Reason:
    return Reason(code, cause, (dutch, english), WE_REPAIR, payer_is_told=False)


REASONS = {
    reason.code: reason
    for reason in (
        _final("AC01", "account_invalid", "het IBAN klopt niet", "the IBAN is wrong", NEW_ACCOUNT),
        _final("AC04", "account_closed", "de rekening is opgeheven", "the account is closed",
                NEW_ACCOUNT),
        _final("AC06", "account_blocked", "de rekening is geblokkeerd voor incasso",
                "the account is blocked for direct debits", CALL_BANK),
        _final("AC13", "wrong_account_type", "dit is geen zakelijke rekening",
                "this is not a business account", NEW_ACCOUNT),
        _final("AG01", "account_not_allowed", "van deze rekening kan niet worden geïncasseerd",
                "this account does not allow direct debits", NEW_ACCOUNT),
        _ours("AG02", "creditor_error", "fout in de opdracht", "an error in the order"),
        _ours("BE05", "creditor_error", "fout in het incassant-ID", "a wrong creditor id"),
        _ours("FF01", "creditor_error", "fout in het bestand", "an error in the file"),
        _ours("RC01", "creditor_error", "fout in de bankcode", "a wrong bank code"),
        _retried("AM04", "insufficient_funds", "onvoldoende saldo", "insufficient funds"),
        _ours("AM05", "duplicate", "dubbel aangeboden", "submitted twice"),
        _final("MD01", "no_mandate", "de bank kent geen geldige machtiging",
                "the bank knows of no valid mandate", CALL_BANK),
        Reason("MD02", "mandate_data", ("gegevens van de machtiging ontbreken",
               "data of the mandate is missing"), WE_REPAIR, payer_is_told=False,
               ends_mandate=True),
        _theirs("MD06", "disputed_authorised", "op uw verzoek teruggeboekt",
                "refunded at your request", WE_CALL),
        Reason("MD07", "deceased", ("de rekeninghouder is overleden",
               "the account holder has died"), WE_CALL, payer_is_told=False, ends_mandate=True,
               stops_everything=True),
        _final("MS02", "refused", "door de betaler geweigerd", "refused by the payer", WE_CALL),
        _retried("MS03", "unspecified_bank",
                 "de bank geeft geen reden", "the bank gives no reason"),
        _theirs("SL01", "bank_filter", "een blokkade of limiet bij uw bank houdt de incasso tegen",
                "a block or limit at your bank stops the direct debit", CALL_BANK),
        _ours("RR01", "bank_regulatory", "vereiste gegevens ontbreken", "required data is missing"),
        _ours("RR02", "bank_regulatory", "vereiste gegevens ontbreken", "required data is missing"),
        _ours("RR03", "bank_regulatory", "vereiste gegevens ontbreken", "required data is missing"),
        _ours("RR04", "bank_regulatory", "wettelijke reden", "a regulatory reason"),
        _ours("CNOR", "technical", "de bank is niet bereikbaar", "the bank cannot be reached"),
        _ours("DNOR", "technical", "de bank is niet bereikbaar", "the bank cannot be reached"),
        _ours("TM01", "technical", "te laat aangeboden", "submitted too late"),
    )
}  # fmt: skip


def known_code(code: str | None) -> str | None:
    """A reported code as the table has it, or just as it was reported; None when it is empty.

    Files pad codes with blanks, and some systems write them in small letters.
    """
    if code is None or not code.strip():
        return None
    written = "".join(code.split()).upper()
    return written if written in REASONS else code


def reason_for(code: str) -> Reason:
    """The reason behind a code; an unknown one is kept raw, and a person looks at it."""
    reason = REASONS.get(known_code(code) or "")
    if reason is not None:
        return reason
    return Reason(
        code,
        "unknown",
        ("de bank geeft een onbekende reden", "the bank gives an unknown reason"),
        WE_CALL,
    )
