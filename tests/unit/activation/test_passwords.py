"""One-time passwords and login names."""

import pickle
import re

import pytest
from argon2 import PasswordHasher

from services.activation.login import passwords
from services.activation.login.names import MAX_LENGTH, base_of, free_name, names_to_try
from services.activation.login.passwords import Hashes, Kind, Match

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
        assert passwords.compare(Hashes(one_time=kept), entered) == Match(Kind.ONE_TIME)
    # and another is not; what is kept does not tell it.
    assert not passwords.matches_one_time(kept, passwords.generate().reveal())
    assert typed not in kept
    assert passwords.normal_form(typed) not in kept


@pytest.mark.parametrize(
    "between",
    [
        *"\t\n\r\u00a0\u00ad\u2009\u200b\u202f\u2060\u3000\ufeff",  # Blanks, and what nobody sees.
        *"\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d",  # Dashes.
    ],
    ids=ascii,
)
def test_a_one_time_password_is_good_with_whatever_a_paste_brings(between: str) -> None:
    # Given a one-time password, When it is pasted with other blanks or dashes than were sent,
    secret = passwords.generate()
    kept = passwords.hash_one_time(secret)
    pasted = f"{between} {secret.reveal().replace('-', between)}{between}\r\n"
    # Then it is recognised.
    assert passwords.compare(Hashes(one_time=kept), pasted) == Match(Kind.ONE_TIME)


@pytest.mark.parametrize(
    ("set_as", "typed"),
    [
        ("Café 't Hoekje 1987", "Cafe\u0301 't Hoekje 1987"),
        ("Cafe\u0301 't Hoekje 1987", "Café 't Hoekje 1987"),
        ("vier paarden drinken thee", "vier\u00a0paarden\u2003drinken thee"),
        ("vier\u00a0paarden drinken thee", "vier paarden drinken thee"),
    ],
)
def test_an_own_password_is_the_same_on_every_keyboard(set_as: str, typed: str) -> None:
    kept = passwords.hash_own(set_as)
    assert passwords.compare(Hashes(own=kept), typed) == Match(Kind.OWN)


@pytest.mark.parametrize("typed", ["Cafe\u0301 't Hoekje 1987", "vier\tpaarden drinken thee"])
def test_a_password_that_was_hashed_as_it_was_typed_is_still_good(typed: str) -> None:
    # Given a hash of before, When the same is typed, Then it is right,
    kept = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(typed)
    match = passwords.compare(Hashes(own=kept), typed)
    assert match is not None
    assert match.kind is Kind.OWN
    # and is kept in its one form from now on, where it has one.
    if match.rehashed is None:
        assert passwords.own_form(typed) is None
    else:
        assert passwords.compare(Hashes(own=match.rehashed), typed) == Match(Kind.OWN)


@pytest.mark.parametrize("entered", ["abcd-efgh-jkmn-pqrs", "vier\u00a0paarden", "\t", "vier"])
def test_a_wrong_password_takes_as_many_hashes_whoever_it_is_tried_on(
    entered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a customer, and a name that nobody has; and whoever hashes, counted,
    customer = Hashes(passwords.hash_own("een heel ander woord"), None)
    counts: list[int] = []
    verify = PasswordHasher.verify

    def count(hasher: PasswordHasher, kept: str, text: str) -> bool:
        counts[-1] += 1
        return bool(verify(hasher, kept, text))

    monkeypatch.setattr(PasswordHasher, "verify", count)
    # When the same wrong password is tried on both, Then it takes as long.
    for hashes in (customer, Hashes()):
        counts.append(0)
        assert passwords.compare(hashes, entered) is None
    assert counts[0] == counts[1] > 0


def test_without_a_password_no_password_is_right() -> None:
    assert not passwords.matches_one_time(None, "")
    assert not passwords.matches_own(None, "no password at all")


def test_a_password_of_their_own_is_compared_to_the_letter() -> None:
    kept = passwords.hash_own("Drie Rode Fietsen-7")
    assert passwords.matches_own(kept, "Drie Rode Fietsen-7")
    assert not passwords.matches_own(kept, "drie rode fietsen-7")


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
