"""What a customer at the door reads when something is refused, by the code of the refusal."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from shared.base.errors import FieldError
from shared.base.words import Words

REFUSED: Mapping[str, Words] = {
    "login_failed": Words(
        "Loginnaam of wachtwoord klopt niet, of het wachtwoord is verlopen.",
        "Login name or password is wrong, or the password has expired.",
    ),
    "suspended": Words(
        "Uw toegang is opgeschort. Neem contact op met uw kantoor.",
        "Your access is suspended. Please contact your office.",
    ),
    "too_busy": Words(
        "Het is nu te druk om in te loggen. Probeer het over enkele seconden opnieuw.",
        "It is too busy to log in now. Please try again in a few seconds.",
    ),
    "try_later": Words(
        "Het wachtwoord is zojuist vervangen. Probeer het opnieuw.",
        "The password was replaced just now. Please try again.",
    ),
    "log_in_again": Words(
        "Log opnieuw in om een wachtwoord te kiezen.", "Log in again to choose a password."
    ),
}
LOCKED = Words(
    "Er is te vaak een verkeerd wachtwoord ingevuld. Tot {until} kunt u hier niet inloggen.",
    "A wrong password was typed too often. You cannot log in here until {until}.",
)
EMPTY: Mapping[str, Words] = {
    "login_name": Words("Vul uw loginnaam in.", "Type your login name."),
    "password": Words("Vul uw wachtwoord in.", "Type your password."),
    "current_password": Words("Vul uw huidige wachtwoord in.", "Type your present password."),
    "new_password": Words("Kies een nieuw wachtwoord.", "Choose a new password."),
}
UNFIT: Mapping[str, Words] = {
    "login_name": Words(
        "Dit kan geen loginnaam zijn. Neem hem over uit het bericht van uw kantoor.",
        "This cannot be a login name. Copy it from your office's message.",
    ),
}
TOO_LONG = Words("Dit is te lang voor een wachtwoord.", "This is too long for a password.")
NOT_ALIKE = Words(
    "De twee nieuwe wachtwoorden zijn niet gelijk.", "The two new passwords are not the same."
)


def field_errors(
    error: ValidationError, given: Mapping[str, str], language: str
) -> Sequence[FieldError]:
    """What is wrong with each field of a form at the door; `given` is what stood in it."""
    fields = dict.fromkeys(str(fault["loc"][0]) for fault in error.errors(include_input=False))
    return [
        field_error(
            name, EMPTY[name] if not given.get(name) else UNFIT.get(name, TOO_LONG), language
        )
        for name in fields
    ]


def field_error(name: str, words: Words, language: str) -> FieldError:
    """One field, and what is wrong with it."""
    return FieldError(field=name, code="invalid", message=words.in_(language))
