"""How the desk calls what billing knows: stages, methods, collections, acts, and every refusal."""

from collections.abc import Mapping

from shared.base.words import Words

STAGES: Mapping[str, tuple[Words, str]] = {
    "unsigned": (Words("niet ondertekend", "not signed"), "waiting"),
    "signed": (Words("ondertekend", "signed"), "busy"),
    "released": (Words("vrijgegeven", "released"), "good"),
    "suspended": (Words("opgeschort", "suspended"), "bad"),
    "withdrawn": (Words("ingetrokken", "withdrawn"), "quiet"),
}
"""What each is called, and the tone of its badge."""

TABS: Mapping[str, Words] = {
    "unsigned": Words("Niet ondertekend", "Not signed"),
    "signed": Words("Ondertekend, nog niet betaald", "Signed, not paid yet"),
    "released": Words("Vrijgegeven", "Released"),
    "suspended": Words("Opgeschort", "Suspended"),
}

METHODS: Mapping[str, Words] = {
    "post": Words("per post", "by post"),
    "fax": Words("per fax", "by fax"),
    "scan": Words("als scan", "as a scan"),
    "online": Words("online", "online"),
    "standing_mandate": Words("onder een eerdere machtiging", "under an earlier mandate"),
}

COLLECTED: Mapping[str, tuple[Words, str]] = {
    "requested": (Words("aan KING gevraagd", "asked of KING"), "waiting"),
    "unasked": (Words("door KING gemeld, niet gevraagd", "reported by KING, not asked"), "bad"),
    "cancelled": (Words("niet meer nodig", "no longer needed"), "quiet"),
    "submitted": (Words("bij de bank aangeboden", "submitted to the bank"), "busy"),
    "succeeded": (Words("geïncasseerd", "collected"), "good"),
    "failed": (Words("mislukt", "failed"), "bad"),
    "returned": (Words("teruggekomen van de bank", "returned by the bank"), "bad"),
    "refunded": (Words("teruggehaald door de betaler", "refunded to the payer"), "bad"),
    "reversed": (Words("door KING teruggestort", "reversed by KING"), "bad"),
}

STORY: Mapping[str, Words] = {
    "billing.sign_order": Words("Ondertekening vastgelegd", "Signature recorded"),
    "billing.withdraw_signature": Words("Ondertekening teruggenomen", "Signature taken back"),
    "billing.sign_online": Words("Online ondertekend", "Signed online"),
    "billing.note_posted": Words("Betaler meldt: op de post gedaan", "Payer says: posted"),
    "billing.scan_received": Words("Scan ontvangen van de betaler", "Scan received from the payer"),
    "billing.send_link": Words("Nieuwe link gevraagd", "New link asked for"),
    "billing.prepare_signing": Words("Online ondertekenen begonnen", "Signing online begun"),
    "billing.mail_code": Words("Nieuwe code gevraagd", "New code asked for"),
    "billing.decide_result": Words(
        "Besloten over een vastgehouden resultaat", "Decided about a result on hold"
    ),
    "collection.result.v1": Words("Incassoresultaat gemeld", "Collection result reported"),
    "order_confirmation": Words(
        "Bericht aan de betaler: order- en incassobevestiging",
        "To the payer: order and direct debit confirmation",
    ),
    "order_confirmation_copy": Words(
        "Bericht aan het kantoor: kopie van de bevestiging",
        "To the office: copy of the confirmation",
    ),
    "order_with_payer": Words(
        "Bericht aan de klant: de bevestiging ligt bij de betaler",
        "To the customer: the confirmation is with the payer",
    ),
    "order_reminder": Words(
        "Herinnering aan de betaler: nog niet ondertekend", "Reminder to the payer: not signed yet"
    ),
    "order_withdrawn": Words(
        "Bericht aan de betaler: order ingetrokken", "To the payer: order withdrawn"
    ),
    "signature_received": Words(
        "Bericht aan de betaler: handtekening ontvangen", "To the payer: signature received"
    ),
    "signature_received_office": Words(
        "Bericht aan het kantoor: handtekening ontvangen", "To the office: signature received"
    ),
    "collection_failed": Words(
        "Bericht aan de betaler: incasso mislukt", "To the payer: direct debit failed"
    ),
    "collection_failed_office": Words(
        "Bericht aan het kantoor: incasso mislukt", "To the office: direct debit failed"
    ),
    "confirmation_undeliverable": Words(
        "Bericht aan het kantoor: bevestiging niet aangekomen",
        "To the office: confirmation not delivered",
    ),
    "confirmation_not_made": Words(
        "Bericht aan KING: bevestiging kon niet worden gemaakt",
        "To KING: confirmation could not be made",
    ),
    "payer_link": Words("Nieuwe link aan de betaler", "New link to the payer"),
    "signing_code": Words("Code aan de betaler", "Code to the payer"),
}
"""By the name of an act, or the kind of a mail; what is not here is not shown."""

PAYER_ACTED = Words("de betaler", "the payer")

REFUSALS: Mapping[str, Words] = {
    "seal_wrong": Words(
        "Het zegel van deze code klopt niet. Scan opnieuw, of typ het ordernummer. Blijft het zo, "
        "leg het papier dan apart: deze code komt niet van ons.",
        "The seal of this code is not right. Scan again, or type the order number. If it stays so, "
        "put the paper aside: this code is not ours.",
    ),
    "already_signed": Words(
        "Deze order is al ondertekend, met andere gegevens. Er is niets gewijzigd. Is wat er staat "
        "een vergissing, neem die ondertekening dan eerst terug.",
        "This order is signed already, with other data. Nothing was changed. If what is on record "
        "is a mistake, take that signature back first.",
    ),
    "order_withdrawn": Words(
        "Deze order is ingetrokken; er valt niets meer vast te leggen.",
        "This order was withdrawn; there is nothing left to record.",
    ),
    "not_signed": Words(
        "Van deze order is geen ondertekening (meer) vastgelegd.",
        "No signature of this order is on record (any more).",
    ),
    "already_reported": Words(
        "KING heeft al iets over de incasso gemeld; daarom blijft de ondertekening staan. Laat de "
        "betaler opnieuw tekenen, of laat de klant intrekken.",
        "KING has already reported on the collection, so the signature stays. Have the payer sign "
        "anew, or have the customer withdrawn.",
    ),
    "signed_with_another": Words(
        "Deze order valt onder het papier van een andere order van dezelfde betaler. Neem de "
        "ondertekening daar terug.",
        "This order is covered by the paper of another order of the same payer. Take the signature "
        "back there.",
    ),
    "other_currency": Words(
        "Dit is geld in een andere valuta; dat kan niet voor de order tellen. Laat het niet "
        "meetellen, en laat de betaler de order alsnog betalen.",
        "This is money in another currency; it cannot count for the order. Dismiss it, and have "
        "the payer pay the order.",
    ),
    "amount_short": Words(
        "Er is te weinig betaald, meer dan er mag ontbreken. Laat het niet meetellen, en laat het "
        "hele bedrag incasseren.",
        "Too little was paid, by more than may be missing. Dismiss it, and have the full amount "
        "collected.",
    ),
    "order_unknown": Words(
        "De order bij dit resultaat is niet bekend, dus het kan niet meetellen. Laat KING de "
        "melding verbeteren, of laat haar niet meetellen.",
        "The order of this result is not known, so it cannot count. Have KING correct the report, "
        "or dismiss it.",
    ),
}
"""By the code of a problem; what stands here is shown on the page itself."""

FIELDS: Mapping[str, Words] = {
    "method": Words("Hoe het binnenkwam", "How it came in"),
    "signed_on": Words("Getekend op", "Signed on"),
    "signed_by": Words("Getekend door", "Signed by"),
    "iban": Words("IBAN", "IBAN"),
    "account_holder": Words("Rekeninghouder", "Account holder"),
    "reason": Words("Reden", "Reason"),
    "decision": Words("Besluit", "Decision"),
}

MISSING: Mapping[str, Words] = {
    "method": Words("Kies hoe het binnenkwam.", "Choose how it came in."),
    "signed_on": Words(
        "Vul de datum in die bij de handtekening staat.", "Enter the date beside the signature."
    ),
    "signed_by": Words(
        "Vul in wie er getekend heeft, zoals het op het papier staat.",
        "Enter who signed, as it stands on the paper.",
    ),
    "iban": Words(
        "Neem het IBAN over van het papier; wij kennen nog geen rekening om van te incasseren.",
        "Take the IBAN over from the paper; we know of none yet that may be collected from.",
    ),
    "account_holder": Words(
        "Vul in op wiens naam de rekening staat.", "Enter whose name the account is in."
    ),
    "reason": Words("Vul in waarom.", "Fill in why."),
    "decision": Words("Kies wat ermee moet gebeuren.", "Choose what is to be done with it."),
}
WRONG: Mapping[str, Words] = {
    "iban": Words(
        "Dit IBAN klopt niet, of de rekening is buiten het SEPA-gebied; vergelijk het met het "
        "papier.",
        "This IBAN is not right, or the account is outside SEPA; compare it with the paper.",
    ),
    "signed_on": Words("Dit is geen datum.", "This is no date."),
}
AGAINST_RULES: Mapping[str, Words] = {
    "in_the_future": Words(
        "Deze dag moet nog komen; kijk de datum na.", "This day is yet to come; check the date."
    ),
    "lapsed": Words(
        "Een machtiging van meer dan 36 maanden geleden is vervallen; laat opnieuw tekenen.",
        "A mandate of more than 36 months ago has lapsed; have it signed again.",
    ),
    "before_the_order": Words(
        "De order is van later; voor die dag kan de bevestiging niet zijn getekend. Kijk de datum "
        "na.",
        "The order is of a later day; its confirmation cannot have been signed before. Check the "
        "date.",
    ),
    "iban_missing": MISSING["iban"],
    "code_for_name": Words(
        "Dit is de code van een bevestiging, geen naam. Leg eerst deze order vast, of ga met Esc "
        "terug naar het scanveld.",
        "This is the code of a confirmation, not a name. Record this order first, or press Esc to "
        "go back to the scan field.",
    ),
}
"""By the code of what is wrong with a field that the very rules of the command have found."""

PART = Words("Bevestiging en incasso", "Confirmation and direct debit")
DOCUMENT = Words("Order- en incassobevestiging (PDF)", "Order and direct debit confirmation (PDF)")
UNDONE_AT_ONCE = Words("Meteen na het vastleggen ongedaan gemaakt", "Undone right after recording")
