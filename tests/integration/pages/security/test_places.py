"""Whatever text a page shows is text, whoever wrote it, and stands there as it was written."""

import re

import pytest

from tests.integration.pages.security.everything import Everything, PageOf
from tests.integration.pages.security.mails import read_mails
from tests.integration.pages.security.markup import MARK, posted_forms, shown_texts, typed_markup
from tests.integration.pages.security.places import PLACES, Fill, House, text

UNFIT = "\N{RIGHT-TO-LEFT OVERRIDE}"
"""What no field takes, so that its form is shown again."""

MAILED = ("a_sign_up_corrected_and_declined", "books_copied_from_a_base_with_a_name")
VERSION = re.compile(r'data: ?"?[\w.:-]+"?')
"""A stream tells that something changed, and by this which version there is now."""


@pytest.mark.parametrize("fill", PLACES.values(), ids=PLACES)
def test_what_is_written_anywhere_is_text_wherever_it_shows(
    everything: Everything, fill: Fill
) -> None:
    # Given somebody who writes markup into each of these fields,
    house = House(everything)
    texts = fill(house)
    # When every page is opened that shows some of it,
    shown = [text for page in house.seen for text in shown_texts(page.text)]
    wrong = {f"{page.url.path}: {one}" for page in house.seen for one in typed_markup(page.text)}
    # Then it makes no tag and no attribute,
    assert sorted(wrong) == []
    # and each text stands somewhere, whole.
    lost = [name for name, text in texts.items() if not any(text in one for one in shown)]
    assert lost == []


def test_what_is_written_anywhere_is_text_in_the_mails_of_it(everything: Everything) -> None:
    # Given somebody who writes markup into what is mailed,
    for name in MAILED:
        PLACES[name](House(everything))
    everything.prepare()
    read = read_mails(everything.stage.settings.data_dir / "mail")
    # When the mails are read, Then what was written there is text; and these do say it.
    assert [wrong for mail in read for wrong in mail.wrong] == []
    said = {mail.kind for mail in read if MARK in mail.html}
    assert said >= {"administration_failed", "signup_declined"}


def test_what_was_typed_into_a_form_that_is_refused_comes_back_as_text(
    everything: Everything,
) -> None:
    wrong, shown_again = [], set[str]()
    # Given every form into which somebody types, of customers about whom nothing is decided yet,
    house = Everything(everything.stage, everything.app)
    house.prepare()
    for page in house.pages("GET"):
        visitor = house.who_may(page)
        answer = house.open(visitor, page)
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        for form in posted_forms(answer.text, page.address):
            typed = text() + UNFIT
            # When markup is typed into all of its fields that nobody could take,
            again = visitor.post(form.action, form.fields | dict.fromkeys(form.typed, typed))
            # Then the form comes back with it, as text.
            wrong += [f"{page}: {one}" for one in typed_markup(again.text)]
            if any(typed in one for one in shown_texts(again.text)):
                shown_again.add(page.path)
    assert wrong == []
    assert shown_again >= {
        "/login",
        "/password",
        "/password/forgotten",
        "/offices/{code}",
        "/onboardings/{onboarding_id}/contact",
        "/registrations/{onboarding_id}/correct",
        "/sign/{token}",
        "/signup/{code}",
        "/signups/{onboarding_id}/withdraw",
        "/status/{token}",
        "/try/king-billing",
        "/try/{code}",
        "/withdraw/{token}",
    }


def test_no_stream_bears_what_somebody_typed(everything: Everything) -> None:
    # Given every stream that tells a page to look again,
    streams = [page for page in everything.pages("GET") if _is_stream(page)]
    told = dict[str, str]()
    for page in streams:
        with everything.who_may(page).http.stream("GET", page.address) as answer:
            if answer.status_code == 200:
                lines = answer.iter_lines()
                told[page.path] = next(line for line in lines if line.startswith("data:"))
    # When it tells of a change, Then it says which version there is now, and nothing else.
    assert len(told) >= 7
    assert {path for path, line in told.items() if not VERSION.fullmatch(line)} == set()


def _is_stream(page: PageOf) -> bool:
    return page.path.rpartition("/")[2] in ("changes", "live")
