"""What the payer's page says when something cannot be done."""

from collections.abc import Mapping

from shared.base.errors import Problem
from shared.base.words import Words

REFUSALS: Mapping[str, Words] = {
    "already_signed": Words(
        "Deze bevestiging is al ondertekend; u hoeft niets meer te doen.",
        "This confirmation is signed already; there is nothing left to do.",
    ),
    "order_withdrawn": Words(
        "De order is ingetrokken; er is niets meer te ondertekenen.",
        "The order was withdrawn; there is nothing to sign any more.",
    ),
    "not_now": Words(
        "Tekenen kan nu niet; neem contact op met uw kantoor.",
        "It cannot be signed now; please contact your office.",
    ),
    "code_just_sent": Words(
        "Er is zojuist een code gestuurd. Wacht twee minuten voordat u een nieuwe vraagt, en kijk "
        "ook bij ongewenste e-mail.",
        "A code was sent just now. Wait two minutes before you ask for another, and look among "
        "your junk mail too.",
    ),
    "codes_used_up": Words(
        "Er zijn vandaag te veel codes gestuurd. Probeer het morgen opnieuw, of stuur de "
        "bevestiging per post terug.",
        "Too many codes were sent today. Try again tomorrow, or return the confirmation by post.",
    ),
    "signing_over": Words(
        "Deze ondertekening geldt niet meer; begin opnieuw.",
        "This signature is no longer valid; please begin again.",
    ),
    "iban_missing": Words(
        "Vul het IBAN in waarvan wij mogen incasseren; de bank weigert de rekening die wij kennen.",
        "Enter the IBAN that we may collect from; the bank refuses the account that we know.",
    ),
    "not_then": Words(
        "Kies een dag vanaf de orderdatum tot en met vandaag.",
        "Choose a day from the date of the order up to today.",
    ),
    "scan_too_large": Words(
        "Het bestand is groter dan 10 MB. Scan in grijstinten, of maak een kleinere foto.",
        "The file is larger than 10 MB. Scan in grey, or take a smaller picture.",
    ),
    "scan_broken_off": Words(
        "Het bestand is niet volledig aangekomen; stuur het nog eens.",
        "The file did not arrive completely; send it once more.",
    ),
    "scan_of_other_kind": Words(
        "Stuur een PDF, of een foto als JPEG of PNG.",
        "Send a PDF, or a picture as JPEG or PNG.",
    ),
    "scans_enough": Words(
        "Wij hebben al vijf bestanden van deze order; dat is genoeg.",
        "We have five files of this order already; that is enough.",
    ),
    "scans_busy": Words(
        "Het is even druk; stuur het bestand zo nog eens.",
        "We are busy for a moment; please send the file again shortly.",
    ),
}
"""By the code of the problem; what stands here is shown on the page that was posted from."""


def words_for(problem: Problem) -> Words:
    """The sentence for a problem, from the error of its field where it has one.

    Raises:
        Problem: it is none that the payer could do anything about on this page.
    """
    codes = [error.code for error in problem.errors] + [problem.code]
    known = next((REFUSALS[code] for code in codes if code in REFUSALS), None)
    if known is None:
        raise problem
    return known
