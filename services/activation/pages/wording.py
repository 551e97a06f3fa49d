"""How the pages call what activation knows: steps, who acts, how long ago, acts and events."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.base.words import Words

STEPS: Mapping[str, Words] = {
    "INSCHRIJVEN": Words("INSCHRIJVEN", "INSCHRIJVEN · sign-up"),
    "AANMELDEN": Words("AANMELDEN", "AANMELDEN · registration"),
    "INRICHTEN": Words("INRICHTEN", "INRICHTEN · set-up"),
    "BEVESTIGEN": Words("BEVESTIGEN", "BEVESTIGEN · confirmation"),
    "VRIJGEVEN": Words("VRIJGEVEN", "VRIJGEVEN · release"),
    "ACTIVEREN": Words("ACTIVEREN", "ACTIVEREN · activation"),
    "INLOGGEN": Words("INLOGGEN", "INLOGGEN · log-in"),
}
ACTORS: Mapping[str, Words] = {
    "customer": Words("klant", "customer"),
    "office": Words("kantoor", "office"),
    "payer": Words("betaler", "payer"),
    "king": Words("KING", "KING"),
    "nobody": Words("niemand", "nobody"),
}
CHANNELS: Mapping[str, Words] = {
    "email": Words("e-mail", "e-mail"),
    "sms": Words("sms", "text message"),
}
SPEAKERS: Mapping[str, Words] = {
    "signup": Words("inschrijving", "sign-up"),
    "registration": Words("registratie", "registration"),
    "billing": Words("facturatie", "billing"),
    "activation": Words("activering", "activation"),
    "king-billing": Words("KING", "KING"),
}
HAPPENED: Mapping[str, Words] = {
    "signup.accepted.v1": Words("Ingeschreven", "Signed up"),
    "signup.rejected.v1": Words("Inschrijving niet in orde", "Sign-up not in order"),
    "onboarding.withdrawn.v1": Words("Inschrijving ingetrokken", "Sign-up withdrawn"),
    "registration.completed.v1": Words("Bij KING aangemeld", "Registered with KING"),
    "registration.declined.v1": Words("Door het kantoor afgewezen", "Declined by the office"),
    "administration.created.v1": Words("Administratie ingericht", "Administration set up"),
    "administration.failed.v1": Words(
        "Administratie kon niet worden gemaakt", "Administration could not be made"
    ),
    "order.confirmation_sent.v1": Words(
        "Order-/incassobevestiging verstuurd", "Order and direct-debit confirmation sent"
    ),
    "order.confirmation_signed.v1": Words("Bevestiging ondertekend", "Confirmation signed"),
    "order.signature_withdrawn.v1": Words("Ondertekening teruggenomen", "Signature taken back"),
    "collection.booked.v1": Words("Incassoresultaat geboekt", "Collection result booked"),
    "customer.released.v1": Words("Vrijgegeven", "Released"),
    "customer.release_withdrawn.v1": Words("Vrijgave teruggenomen", "Release taken back"),
    "customer.activated.v1": Words("Inloggegevens verstuurd", "Login details sent"),
    "customer.logged_in.v1": Words("Voor het eerst ingelogd", "Logged in for the first time"),
    "activation.activate": Words("Activering besteld", "Activation ordered"),
    "activation.resend": Words("Opnieuw versturen besteld", "Another sending ordered"),
    "activation.amend_contact": Words("Contactgegevens gewijzigd", "Contact details changed"),
    "activation.change_password": Words("Wachtwoord gewijzigd", "Password changed"),
    "activation.forget_password": Words("Nieuw wachtwoord aangevraagd", "New password asked for"),
}
"""By the type of an event, or the name of an act."""

SENT: Mapping[str, Words] = {
    "customer_released": Words(
        "Bericht aan het kantoor: klaar om te activeren", "To the office: ready to be activated"
    ),
    "credentials": Words("Inloggegevens aan de klant", "Login details to the customer"),
    "credentials_expiring": Words(
        "Herinnering aan de klant: wachtwoord verloopt",
        "Reminder to the customer: password expires",
    ),
    "credentials_undeliverable": Words(
        "Bericht aan het kantoor: niet afgeleverd", "To the office: not delivered"
    ),
    "contact_changed": Words(
        "Bericht aan het oude adres: contactgegevens gewijzigd",
        "To the old address: contact details changed",
    ),
    "password_forgotten": Words("Nieuw wachtwoord aan de klant", "New password to the customer"),
    "password_changed": Words(
        "Bericht aan de klant: wachtwoord gewijzigd", "To the customer: password changed"
    ),
    "credentials_expired": Words(
        "Bericht aan het kantoor: wachtwoord verlopen", "To the office: password expired"
    ),
    "contact_confirmed": Words(
        "Bericht aan het nieuwe adres: hier bereiken wij u", "To the new address: we reach you here"
    ),
    "access_suspended": Words(
        "Bericht aan de klant: toegang opgeschort", "To the customer: access suspended"
    ),
    "access_restored": Words(
        "Bericht aan de klant: toegang hersteld", "To the customer: access restored"
    ),
    "login_locked": Words(
        "Bericht aan de klant: te veel pogingen", "To the customer: too many tries"
    ),
}
"""By the kind of a mail or text."""

METHODS: Mapping[str, Words] = {
    "post": Words("per post", "by post"),
    "fax": Words("per fax", "by fax"),
    "scan": Words("als scan", "as a scan"),
    "online": Words("online", "online"),
    "standing_mandate": Words("doorlopende machtiging", "standing mandate"),
}
COLLECTED: Mapping[str, Words] = {
    "submitted": Words("aangeboden", "submitted"),
    "succeeded": Words("gelukt", "succeeded"),
    "failed": Words("mislukt", "failed"),
    "returned": Words("teruggekomen", "returned"),
    "refunded": Words("teruggeboekt", "refunded"),
    "reversed": Words("teruggedraaid", "reversed"),
}

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def who(by: str | None) -> Words | None:
    """Who did it: the part somebody acts in, or their name."""
    return None if by is None else ACTORS.get(by, Words(by, by))


def age(since: datetime | None, now: datetime) -> Words | None:
    """How long ago, as people say it."""
    if since is None:
        return None
    passed = now - since
    if passed < MINUTE:
        return Words("zojuist", "just now")
    if passed < HOUR:
        count = passed // MINUTE
        return Words(f"{count} min", f"{count} min")
    if passed < DAY:
        count = passed // HOUR
        return Words(f"{count} uur", f"{count} hour{'s' * (count > 1)}")
    count = passed // DAY
    return Words(f"{count} dag{'en' * (count > 1)}", f"{count} day{'s' * (count > 1)}")


def lasting(since: datetime | None, now: datetime) -> Words | None:
    """For how long something lasts, within a sentence."""
    passed = age(since, now)
    if passed is None or since is None or now - since < MINUTE:
        return passed
    return Words(f"al {passed.nl}", f"for {passed.en}")
