"""What a customer is told on their own page, where staff are told what they themselves must do."""

from collections.abc import Mapping

from shared.base.words import Words

STEPS: Mapping[str, Words] = {
    "INSCHRIJVEN": Words("Inschrijven", "Sign up"),
    "AANMELDEN": Words("Aanmelden bij KING", "Registration with KING"),
    "INRICHTEN": Words("Administratie inrichten", "Setting up your administration"),
    "BEVESTIGEN": Words("Bevestiging ondertekenen", "Signing the confirmation"),
    "VRIJGEVEN": Words("Incasso en vrijgave", "Payment and release"),
    "ACTIVEREN": Words("Inloggegevens versturen", "Sending your login details"),
    "INLOGGEN": Words("Inloggen", "Log in"),
}

HEADLINES: Mapping[str, Words] = {
    "signup_expected": Words("Uw inschrijving is ontvangen", "Your sign-up has been received"),
    "signup_rejected": Words(
        "Uw inschrijving is niet in orde", "Something in your sign-up is not in order"
    ),
    "declined": Words("Uw kantoor heeft uw inschrijving afgewezen", "Your office has declined"),
    "registering": Words("Wij melden u aan", "We are registering you"),
    "review": Words("Uw kantoor controleert uw gegevens", "Your office is checking your details"),
    "administration_missing": Words(
        "Uw administratie wordt gemaakt", "Your administration is being made"
    ),
    "administration_failed": Words(
        "Uw kantoor maakt uw administratie klaar", "Your office is preparing your administration"
    ),
    "confirmation_on_its_way": Words(
        "De bevestiging wordt verstuurd", "The confirmation is being sent"
    ),
    "signature_missing": Words(
        "Wij wachten op de handtekening", "We are waiting for the signature"
    ),
    "collection_expected": Words("Wij wachten op de betaling", "We are waiting for the payment"),
    "collection_held": Words("Wij wachten op de betaling", "We are waiting for the payment"),
    "collection_failed": Words("Wij wachten op de betaling", "We are waiting for the payment"),
    "release_withdrawn": Words("Wij wachten op de betaling", "We are waiting for the payment"),
    "suspended": Words("Uw toegang is even stopgezet", "Your access is suspended for now"),
    "ready_to_activate": Words(
        "Uw kantoor stuurt u zo uw inloggegevens", "Your office is about to send your login details"
    ),
    "sending": Words("Uw inloggegevens zijn onderweg", "Your login details are on their way"),
    "undeliverable": Words("Uw inloggegevens kwamen niet aan", "Your login details did not arrive"),
    "credentials_expired": Words(
        "Uw eenmalige wachtwoord is verlopen", "Your one-time password has expired"
    ),
    "login_expected": Words("U kunt inloggen", "You can log in"),
    "withdrawn": Words("Uw inschrijving is ingetrokken", "Your sign-up has been withdrawn"),
}
"""Where things stand, by what the onboarding waits for."""

EXPLANATIONS: Mapping[str, Words] = {
    "signup_expected": Words(
        "Nog een ogenblik: wij zetten alles voor u klaar. Deze pagina ververst zichzelf.",
        "One moment: we are getting everything ready. This page refreshes by itself.",
    ),
    "signup_rejected": Words(
        "Schrijf u opnieuw in op de website van uw kantoor, met de juiste gegevens.",
        "Please sign up again on your office's website, with the right details.",
    ),
    "declined": Words(
        "Uw kantoor gaf een reden op, die u hieronder leest. Vragen? Bel of mail uw kantoor.",
        "Your office gave a reason, which you find below. Any questions? Call or mail your office.",
    ),
    "registering": Words(
        "Dat gaat vanzelf en duurt meestal nog geen minuut.",
        "This goes by itself and usually takes less than a minute.",
    ),
    "review": Words(
        "Als alles klopt, meldt uw kantoor u aan bij KING. U hoeft niets te doen.",
        "When all is right, your office registers you with KING. You need not do anything.",
    ),
    "administration_missing": Words("U hoeft niets te doen.", "You need not do anything."),
    "administration_failed": Words("U hoeft niets te doen.", "You need not do anything."),
    "confirmation_on_its_way": Words(
        "Wie betaalt, krijgt binnen enkele minuten een mail met het document.",
        "Whoever pays gets a mail with the document within a few minutes.",
    ),
    "signature_missing": Words(
        "Zodra de ondertekende bevestiging terug is, kan KING incasseren.",
        "As soon as the signed confirmation is back, KING can collect.",
    ),
    "collection_expected": Words(
        "KING incasseert het bedrag. Daarna kunt u beginnen.",
        "KING collects the amount. After that you can start.",
    ),
    "collection_held": Words(
        "KING bekijkt de betaling. U hoeft niets te doen.",
        "KING is looking at the payment. You need not do anything.",
    ),
    "collection_failed": Words(
        "Wie betaalt, heeft bericht gekregen over wat er nodig is.",
        "Whoever pays has been told what is needed.",
    ),
    "release_withdrawn": Words(
        "Wie betaalt, heeft bericht gekregen over wat er nodig is.",
        "Whoever pays has been told what is needed.",
    ),
    "suspended": Words(
        "De betaling is teruggegaan. Zodra zij alsnog binnen is, kunt u weer inloggen met het "
        "wachtwoord dat u had.",
        "The payment went back. As soon as it is in after all, you can log in again with the "
        "password you had.",
    ),
    "ready_to_activate": Words("U hoeft niets te doen.", "You need not do anything."),
    "sending": Words(
        "U krijgt uw loginnaam en een eenmalig wachtwoord per sms of e-mail.",
        "You get your login name and a one-time password by text message or e-mail.",
    ),
    "undeliverable": Words(
        "Neem contact op met uw kantoor: uw e-mailadres of mobiele nummer klopt misschien niet.",
        "Contact your office: your e-mail address or mobile number may be wrong.",
    ),
    "credentials_expired": Words(
        "Vraag een nieuw wachtwoord aan, of vraag het uw kantoor.",
        "Ask for a new password, or ask your office.",
    ),
    "login_expected": Words(
        "Uw loginnaam en eenmalige wachtwoord zijn verstuurd. Kies bij het inloggen een eigen "
        "wachtwoord.",
        "Your login name and one-time password were sent. You choose a password of your own when "
        "you log in.",
    ),
    "withdrawn": Words(
        "Er wordt niets meer geïncasseerd. Was dit niet de bedoeling? Bel of mail uw kantoor.",
        "Nothing more is collected. Was this a mistake? Call or mail your office.",
    ),
}
"""What it means for the customer, and what they need to do, if anything."""

FINISHED = Words("Alles is klaar", "All is done")
FINISHED_EXPLANATION = Words(
    "U hebt ingelogd en kunt werken in iMUIS Online.",
    "You have logged in and can work in iMUIS Online.",
)
