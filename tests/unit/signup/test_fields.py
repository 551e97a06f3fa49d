"""Every field of a sign-up: what is taken, in which normal form, and what is refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events import SignupRejected
from shared.notifications.messages import Mail
from shared.trade.form.fields import read_package
from shared.trade.form.form import Form
from shared.trade.form.texts import TEXTS
from tests.unit.signup.harness import SignupHarness, accepted, changed, errors, example

TAKEN = [
    ("customer__kvk", "01234567", "01234567"),
    ("customer__kvk", "0123 4567", "01234567"),
    ("customer__kvk", None, None),
    ("customer__vat_id", "nl 1234.56.782.B76", "NL123456782B76"),
    ("customer__email", "Anna@Korenaar.EXAMPLE", "Anna@korenaar.example"),
    ("customer__mobile", "06 12345601", "+31612345601"),
    ("customer__mobile", "0031612345601", "+31612345601"),
    ("customer__mobile", "+32470123456", "+32470123456"),
    ("customer__company", "  Café 't Hoekje ", "Café 't Hoekje"),
    ("customer__company", "Cafe\u0301", "Café"),
    ("customer__company", "De\u00a0\u2003Koren\u200daar", "De Korenaar"),
    ("customer__kvk", "0123\u00b74567", "01234567"),
    ("customer__kvk", "\u202a01234567\u202c", "01234567"),
    ("customer__email", "anna@straße-proef.example", "anna@xn--strae-proef-y6a.example"),
    ("customer__mobile", "\u202a06 12345601\u202c", "+31612345601"),
    ("customer__vat_id", "NL\u00a01234\u202f56782\u2011B76", "NL123456782B76"),
    ("customer__address__postcode", "1234\u00a0ab", "1234 AB"),
    ("customer__address__country", "\uff2e\uff2c", "NL"),
    ("customer__address__postcode", "1234ab", "1234 AB"),
    ("payer__iban", "nl91 abna 0417 1643 00", "NL91ABNA0417164300"),
    ("payer__iban", "NL91\u00a0ABNA\u20110417\u202f1643.00", "NL91ABNA0417164300"),
    ("package__modules", ["bank", "bank"], ("bank",)),
]

REFUSED = [
    ("customer__company", None, "missing"),
    ("customer__company", "", "missing"),
    ("customer__company", 7, "not_text"),
    ("customer__company", "x" * 201, "too_long"),
    ("customer__company", "\u200d", "missing"),
    ("customer__company", "\u3164", "missing"),
    ("customer__company", "bel\x07", "control_character"),
    ("customer__company", "Bakkerij 111222333", "citizen_number"),
    ("customer__contact__first_name", "111\u00b7222\u00b7333", "citizen_number"),
    ("customer__address__street", "BSN=111-22-2333", "citizen_number"),
    ("customer__address__number", "１１１２２２３３３", "citizen_number"),
    ("payer__account_holder", "sofinummer 111222333", "citizen_number"),
    ("customer__company", "twee\nregels", "control_character"),
    ("customer__company", "om\u202egekeerd", "control_character"),
    ("customer__kvk", "1234567", "kvk_format"),
    ("customer__kvk", "123456789012", "kvk_branch"),
    ("customer__kvk", 12345678, "not_text"),
    ("customer__kvk", "٠١٢٣٤٥٦٧", "kvk_format"),
    ("customer__vat_id", "NL12345B01", "vat_format"),
    ("customer__vat_id", "XX1", "vat_format"),
    ("customer__email", "info@", "email_invalid"),
    ("customer__email", "info korenaar.example", "email_invalid"),
    ("customer__email", "jürgen@korenaar.example", "email_unmailable"),
    ("payer__email", "jürgen@korenaar.example", "email_unmailable"),
    ("customer__mobile", "12", "mobile_invalid"),
    ("customer__mobile", "050 3123456", "mobile_landline"),
    ("customer__mobile", "097012345678", "mobile_machine"),
    ("customer__address__postcode", "1234 A", "postcode_format"),
    ("customer__address__postcode", "0234 AB", "postcode_format"),
    ("customer__address__country", "ZZ", "country_unknown"),
    ("customer__address__country", "AC", "country_unknown"),
    ("customer__address__country", "XK", "country_unknown"),
    ("customer__address__country", "528", "country_unknown"),
    ("customer__address__street", None, "missing"),
    ("customer__contact__last_name", None, "missing"),
    ("customer__language", "fr", "choice"),
    ("customer__legal_form", "gmbh", "choice"),
    ("customer", "Bakkerij", "not_object"),
    ("package", None, "missing"),
    ("package__code", "goud", "package_unknown"),
    ("package__modules", "bank", "not_list"),
    ("package__modules", ["bank"] * 21, "too_many"),
    ("payer__kind", "niemand", "choice"),
    ("payer__iban", "NL91ABNA0417164301", "iban_invalid"),
    ("payer__iban", "BR1800360305000010009795493C1", "iban_not_sepa"),
    ("preferred_channel", "duif", "choice"),
    ("terms", None, "missing"),
    ("terms__version", None, "missing"),
    ("terms__accepted_at", None, "missing"),
    ("terms__accepted_at", "gisteren", "terms_time"),
    ("terms__accepted_at", "2026-11-02T08:58:11", "terms_time"),
    ("terms__accepted_at", "2027-01-01T00:00:00Z", "terms_future"),
    ("terms__accepted_at", "20261102", "terms_time"),
    ("terms__accepted_at", "2026-W45-1T09:00:00Z", "terms_time"),
    ("terms__accepted_at", "1999-11-02T09:00:00Z", "terms_time"),
    ("terms__accepted_at", 1762000000, "not_text"),
    ("remarks", ["x"], "not_text"),
    ("remarks", "om\u202egekeerd", "control_character"),
    ("remarks", "mijn bsn is 111222333", "citizen_number"),
    ("remarks", "111222333 is mijn BSN", "citizen_number"),
    ("office_code", None, "missing"),
    ("office_code", "9999", "office_unknown"),
    ("office_code", "111222333", "citizen_number"),
]


@pytest.mark.parametrize(("field", "value", "normal"), TAKEN)
def test_a_right_field_is_kept_in_its_normal_form(field: str, value: Any, normal: Any) -> None:
    # Given a form with this value, When it is submitted,
    kept: Any = accepted(SignupHarness().submit(changed(**{field: value})))
    # Then it is accepted, in the one form that all others rely on.
    for name in field.split("__"):
        kept = getattr(kept, name)
    assert kept == normal


@pytest.mark.parametrize(("field", "value", "code"), REFUSED)
def test_a_wrong_field_is_named_with_what_to_do(field: str, value: Any, code: str) -> None:
    # Given a form with one wrong field, When it is submitted,
    source = "/website/0042"
    codes = errors(SignupHarness().submit(changed(**{field: value}), source=source))
    # Then that field is named, with a code for programs,
    assert codes[field.replace("__", ".")] == code
    # and no other, but for what is inside a part that is missing.
    assert all(name.startswith(field.replace("__", ".")) for name in codes)


@pytest.mark.parametrize("vat_id", ["GB980780684", "CHE-107.787.577 MWST", "NO995525828MVA"])
@pytest.mark.parametrize(("language", "empty"), [("nl", "veld dan leeg"), ("en", "field empty")])
def test_whoever_has_no_vat_id_of_the_union_is_told_that_none_is_needed(
    vat_id: str, language: str, empty: str
) -> None:
    # Given a customer from outside the union, when they fill in the VAT id that they have,
    form = changed(customer__vat_id=vat_id, customer__language=language)
    (error,) = (
        error
        for effect in SignupHarness().submit(form)
        if isinstance(effect, SignupRejected)
        for error in effect.errors
    )
    # Then they are told which ones are taken, and to leave the field empty.
    assert (error.field, error.code) == ("customer.vat_id", "vat_format")
    assert "EU" in error.message
    assert empty in error.message


def test_all_errors_are_told_at_once() -> None:
    # Given a form with three wrong fields, When it is submitted, Then all three are named.
    form = changed(customer__kvk="1", customer__email="x", payer__iban="y")
    assert set(errors(SignupHarness().submit(form))) == {
        "customer.kvk",
        "customer.email",
        "payer.iban",
    }


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_sentences_are_in_the_customers_language(language: str) -> None:
    form = changed(customer__kvk="1", customer__language=language)
    rejected = SignupHarness().submit(form).one(SignupRejected)
    assert rejected.errors[0].message == TEXTS["kvk_format"][language == "en"]


@pytest.mark.parametrize("language", ["EN", "en-GB", " en "])
def test_the_customers_language_is_read_as_their_browser_writes_it(language: str) -> None:
    form = changed(customer__kvk="1", customer__language=language)
    rejected = SignupHarness().submit(form).one(SignupRejected)
    assert rejected.errors[0].message == TEXTS["kvk_format"][1]


def test_a_choice_among_very_many_modules_is_still_told() -> None:
    # Given a catalogue with more modules than a sentence has room for,
    class Large:
        package_codes = ("basis",)
        module_codes = tuple(f"module-{number:03}" for number in range(100))

    # When one is wanted that is not among them,
    form = Form({"package": {"code": "basis", "modules": ["nothing"]}}, "nl")
    assert read_package(form, Large()) is None
    # Then that is told, as far as there is room.
    (error,) = form.errors
    assert error.field == "package.modules.0"
    assert error.message.startswith("Deze module bestaat niet; kies uit: module-000, ")
    assert error.message.endswith("…")


def test_a_sole_traders_old_tax_number_is_refused_and_repeated_nowhere() -> None:
    # Given a sole trader whose old tax number is their citizen number,
    data = example("92-fout-bsn-als-btw-id")
    # When they fill it in, Then it is refused, and neither event nor mail repeats it.
    effects = SignupHarness().submit(data)
    assert errors(effects) == {"customer.vat_id": "vat_is_citizen_number"}
    assert "004495445" not in repr(effects)


@pytest.mark.parametrize("legal_form", ["eenmanszaak", "other", None])
@pytest.mark.parametrize(
    "written",
    [
        "NL4495445B01",
        "nl 4495.445.b.01",
        "004495445",
        "NL\u00a0004495445\u202fB01",
        "ＮＬ００４４９５４４５Ｂ０１",
        "NL004\u2011495\u00b7445B01",
    ],
    ids=ascii,
)
def test_an_old_tax_number_is_refused_however_it_is_written_and_whosever_it_may_be(
    written: str, legal_form: str | None
) -> None:
    # Given a customer of whom nothing says that the number is a legal person's,
    data = changed(customer__vat_id=written, customer__legal_form=legal_form)
    # When they fill in an old tax number, Then it is refused and repeated nowhere.
    effects = SignupHarness().submit(data)
    assert errors(effects) == {"customer.vat_id": "vat_is_citizen_number"}
    assert "4495445" not in repr(effects)


def test_the_number_of_a_legal_person_is_a_vat_id_like_any_other() -> None:
    data = changed(customer__vat_id="NL004495445B01", customer__legal_form="bv")
    assert accepted(SignupHarness().submit(data)).customer.vat_id == "NL004495445B01"


@pytest.mark.parametrize("field", ["customer__company", "office_code", "remarks"])
def test_a_rejection_repeats_no_citizen_number(field: str) -> None:
    # Given a form with a citizen number where a text should stand, When it is rejected,
    effects = SignupHarness().submit(changed(**{field: "bsn 111222333"}), source="/website/0042")
    # Then neither the event nor the mail nor what is kept of it repeats the number.
    assert errors(effects)[field.replace("__", ".")] == "citizen_number"
    assert "111222333" not in repr(effects)


def test_who_wants_texts_must_give_a_mobile_number() -> None:
    form = changed(preferred_channel="sms", customer__mobile=None)
    assert errors(SignupHarness().submit(form)) == {"customer.mobile": "mobile_needed"}


@pytest.mark.parametrize(
    ("number", "code"), [(612345601, "not_text"), ("06\n12345601", "control_character")]
)
def test_a_field_that_two_rules_ask_for_is_wrong_once(number: Any, code: str) -> None:
    # Given a customer who wants texts, so that their number is asked for by two rules,
    form = changed(preferred_channel="sms", customer__mobile=number)
    # When the number is wrong, Then event and mail tell so once, and say what is wrong with it.
    effects = SignupHarness().submit(form)
    assert errors(effects) == {"customer.mobile": code}
    assert [error["field"] for error in effects.one(Mail).params["errors"]] == ["customer.mobile"]


def test_somebody_else_who_pays_must_be_reachable() -> None:
    form = changed(payer={"kind": "other"})
    assert errors(SignupHarness().submit(form)) == {
        "payer.name": "missing",
        "payer.email": "missing",
    }


def test_a_belgian_postcode_is_not_read_as_a_dutch_one() -> None:
    address = {**example()["customer"]["address"], "country": "BE", "postcode": "2000"}
    signup = accepted(SignupHarness().submit(changed(customer__address=address)))
    assert signup.customer.address.postcode == "2000"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted({field for field, _, _ in REFUSED})


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4))
def test_whatever_is_filled_in_is_accepted_or_answered_field_by_field(
    changes: dict[str, Any],
) -> None:
    # Given a form in which anything may stand anywhere, parts before what is inside them,
    data = example()
    for path, value in sorted(changes.items(), key=lambda change: -len(change[0].split("__"))):
        *parents, last = path.split("__")
        part: Any = data
        for name in parents:
            part = part[name]
        part[last] = value
    # When it is submitted, Then there is one answer, and it always has its reasons.
    effects = SignupHarness().submit(data, source="/website/0042")
    assert errors(effects) if effects.all(SignupRejected) else accepted(effects)
