"""One-time passwords and login names."""

import pickle
import re

import pytest

from services.activation.login import passwords
from services.activation.login.names import MAX_LENGTH, base_of, free_name, names_to_try

FORM = re.compile(
    r"^[23456789abcdefghjkmnpqrstuvwxyz]{4}(-[23456789abcdefghjkmnpqrstuvwxyz]{4}){3}$"
)


def test_a_one_time_password_is_four_groups_of_letters_that_cannot_be_mistaken() -> None:
    clear = {passwords.generate().reveal() for _ in range(200)}
    assert len(clear) == 200
    assert all(FORM.match(password) for password in clear)
    assert not set("".join(clear)) & set("01ilo")


def test_a_secret_shows_itself_nowhere_but_where_it_is_asked_for() -> None:
    secret = passwords.generate()
    for shown in (repr(secret), str(secret), f"{secret}", f"{[secret]}"):
        assert secret.reveal() not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_case_and_hyphens_do_not_matter_on_entry() -> None:
    # Given a one-time password, When it is typed as people type, Then it is recognised,
    secret = passwords.generate()
    kept = passwords.hash_one_time(secret)
    typed = secret.reveal()
    for entered in (typed, typed.upper(), typed.replace("-", ""), typed.replace("-", " ")):
        assert passwords.matches_one_time(kept, entered)
    # and another is not; what is kept does not tell it.
    assert not passwords.matches_one_time(kept, passwords.generate().reveal())
    assert typed not in kept
    assert passwords.normal_form(typed) not in kept


def test_without_a_password_no_password_is_right() -> None:
    assert not passwords.matches_one_time(None, "")
    assert not passwords.matches_own(None, "no password at all")


def test_a_password_of_their_own_is_compared_to_the_letter() -> None:
    kept = passwords.hash_own("Drie Rode Fietsen-7")
    assert passwords.matches_own(kept, "Drie Rode Fietsen-7")
    assert not passwords.matches_own(kept, "drie rode fietsen-7")


@pytest.mark.parametrize(
    "weak", ["kort", "aaaaaaaaaaaaaaaa", "wachtwoord123456", "bakkerij.voorbeeld1", "x" * 129]
)
def test_a_password_that_can_be_guessed_is_refused_with_the_reason(weak: str) -> None:
    assert passwords.objection(weak, ("bakkerij.voorbeeld", "Bakkerij", "Voorbeeld"))


def test_length_is_all_that_a_good_password_needs() -> None:
    assert passwords.objection("vier paarden drinken thee", ()) is None


@pytest.mark.parametrize(
    ("company", "name"),
    [
        ("Bakkerij de Vries B.V.", "bakkerij.devries"),
        ("Café 't Hoekje", "cafe.thoekje"),
        ("Œuvre & Zn.", "uvre.zn"),
        ("日本", "klant"),
        ("Stichting", "klant"),
    ],
)
def test_a_login_name_is_made_of_the_companys_first_words(company: str, name: str) -> None:
    assert base_of(company) == name


def test_a_login_name_fits_into_a_text_message_and_is_nobody_elses() -> None:
    # Given a company of a long name that others have too, When names are tried in turn,
    base = base_of("Internationale Scheepvaartmaatschappij Noordzee")
    names = names_to_try(base, "een")
    # Then it gets the first that is free: the name itself, a low number, a number of its own.
    assert free_name(names, ()) == base
    assert free_name(names, names[:1]) == f"{base}2"
    assert free_name(names, names[:2]) == f"{base}3"
    assert not set(names[3:]) & set(names_to_try(base, "ander"))
    # Each fits, in letters and figures that every text message can carry.
    assert all(len(name) <= MAX_LENGTH and re.fullmatch(r"[a-z0-9.]+", name) for name in names)


def test_a_name_that_is_cut_for_its_number_does_not_end_in_a_full_stop() -> None:
    names = names_to_try("bakkerij.en.metworst", "een")
    assert len(names) == len(set(names))
    assert not [name for name in names if re.search(r"\.\d*$", name)]
