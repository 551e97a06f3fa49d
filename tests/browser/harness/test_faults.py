"""What a page does wrong in silence makes the test fail."""

import pytest
from playwright.sync_api import Browser

from tests.browser.harness.little_pages import LittlePages
from tests.browser.visitors import Visitors

SCRIPTS = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])


@SCRIPTS
def test_a_good_page_is_visited_without_a_fault(
    pages: LittlePages, suspect: Visitors, javascript: bool
) -> None:
    # Given a page that keeps to its policy, When somebody visits it,
    suspect(javascript=javascript).goto(pages.page('<img src="/icon.svg" alt="">'))
    # Then nothing is found.
    assert suspect.faults() == []


@SCRIPTS
def test_a_request_to_another_origin_is_a_fault(
    pages: LittlePages, suspect: Visitors, javascript: bool
) -> None:
    # Given a page whose policy lets it fetch a picture from somebody else,
    path = pages.page('<img src="http://elsewhere.example/logo.png" alt="">', policy="")
    # When somebody visits it,
    suspect(javascript=javascript).goto(path)
    # Then that is found, and nobody outside was reached.
    faults = "\n".join(suspect.faults())
    assert "asked another origin: http://elsewhere.example/logo.png" in faults
    assert "net::ERR_NAME_NOT_RESOLVED" in faults


@SCRIPTS
def test_what_the_policy_forbids_is_a_fault(
    pages: LittlePages, suspect: Visitors, javascript: bool
) -> None:
    # Given a page with a style of its own in an attribute, which the policy forbids,
    # When somebody visits it,
    suspect(javascript=javascript).goto(pages.page('<p style="color: red">Rood</p>'))
    # Then that is found.
    assert "Content Security Policy" in "\n".join(suspect.faults())


def test_a_violation_is_named_with_what_was_forbidden(
    pages: LittlePages, suspect: Visitors
) -> None:
    suspect().goto(pages.page("<script>document.title = 'x'</script>"))
    assert "script-src-elem does not allow inline" in "\n".join(suspect.faults())


def test_a_script_that_fails_or_complains_is_a_fault(pages: LittlePages, suspect: Visitors) -> None:
    # Given a page with one script that complains and then fails,
    pages.serve("/bad.js", "console.error('oh dear'); nothing.at.all")
    # When somebody visits it,
    suspect().goto(pages.page('<script src="/bad.js"></script>'))
    # Then both are found.
    faults = "\n".join(suspect.faults())
    assert "oh dear" in faults
    assert "nothing is not defined" in faults


def test_what_is_missing_is_a_fault_unless_the_test_provokes_it(
    pages: LittlePages, suspect: Visitors
) -> None:
    # Given a page that says 404, and asks for a picture that is not there,
    path = pages.page("<p>Bestaat niet</p>", status=404)
    # When somebody visits it who expects nothing of the kind,
    suspect().goto(path)
    # Then that is found;
    assert any("404" in fault for fault in suspect.faults())
    suspect.close()
    # And when it is expected, Then it is not.
    suspect(expects={404}).goto(path)
    assert suspect.faults() == []


def test_a_page_that_was_left_while_it_loaded_is_no_fault(
    pages: LittlePages, suspect: Visitors
) -> None:
    # Given a page that begins to fetch, and goes elsewhere before the answer is there,
    end = pages.page("<p>Klaar</p>")
    pages.serve("/go.js", f"fetch('/icon.svg'); location.href = '{end}'")
    policy = "default-src 'self'"
    page = suspect()
    # When somebody visits it,
    page.goto(pages.page('<script src="/go.js"></script>', policy=policy), wait_until="commit")
    page.wait_for_url(f"**{end}")
    # Then nothing is found.
    assert suspect.faults() == []


def test_the_test_of_a_page_with_a_fault_fails_when_it_ends(
    pages: LittlePages, browser: Browser
) -> None:
    # Given a person as the fixture makes them, on a page with a fault,
    visitors = Visitors(browser, pages.address)
    page = visitors()
    page.goto(pages.page("<script>0</script>"))
    # When the test ends, Then it fails, and the browser is tidied up all the same.
    with pytest.raises(AssertionError, match="what no page may do"):
        visitors.leave()
    assert page.is_closed()
