"""axe looks at the very page that the person has open, and says what to mend."""

import pytest

from tests.browser.accessible import assert_accessible
from tests.browser.harness.little_pages import LittlePages
from tests.browser.visitors import Visitors

SCRIPTS = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])


@SCRIPTS
def test_a_page_for_everybody_passes_and_its_policy_is_not_touched(
    pages: LittlePages, person: Visitors, javascript: bool
) -> None:
    # Given a page with nothing amiss, under a strict policy,
    page = person(javascript=javascript)
    page.goto(pages.page('<label>Naam <input name="name" autocomplete="name"></label>'))
    # When axe looks at it, Then it finds nothing, and has violated nothing (`person` sees to that).
    assert_accessible(page)


@SCRIPTS
def test_a_field_without_a_label_fails_with_rule_element_and_remedy(
    pages: LittlePages, suspect: Visitors, javascript: bool
) -> None:
    # Given a field whose name is nowhere,
    page = suspect(javascript=javascript)
    page.goto(pages.page('<input name="kvk">'))
    # When axe looks at it,
    with pytest.raises(AssertionError) as failure:
        assert_accessible(page)
    # Then the failure says which rule, which element, and what to do.
    assert "- label: Form elements must have labels" in str(failure.value)
    assert '<input name="kvk">' in str(failure.value)
    assert "Fix any of the following" in str(failure.value)


@pytest.mark.parametrize(
    ("rule", "body", "css"),
    [
        ("color-contrast", "<p>Grijs</p>", "p { color: #aaa }"),
        ("landmark-no-duplicate-main", "</main><main>Twee</main>", ""),
        (
            "target-size",
            '<nav><a href="/a">a</a><a href="/b">b</a></nav>',
            "a { display: inline-block; width: 9px; height: 12px; line-height: 1 }",
        ),
    ],
    ids=["contrast, AA", "landmarks, good practice", "targets, WCAG 2.2"],
)
def test_every_kind_of_rule_is_looked_at(
    pages: LittlePages, suspect: Visitors, rule: str, body: str, css: str
) -> None:
    page = suspect()
    page.goto(pages.page(body, css=css))
    with pytest.raises(AssertionError, match=f"- {rule}: "):
        assert_accessible(page)


def test_what_is_there_for_those_without_scripts_is_looked_at(
    pages: LittlePages, suspect: Visitors
) -> None:
    # Given a picture without a name, for those alone whose browser runs no scripts,
    path = pages.page('<noscript><img id="late" src="/icon.svg"></noscript>')
    # When axe looks at what a person with scripts sees, Then nothing is amiss;
    page = suspect()
    page.goto(path)
    assert_accessible(page)
    # And without scripts, Then the picture is found.
    page = suspect(javascript=False)
    page.goto(path)
    with pytest.raises(AssertionError, match=r'- image-alt: (.|\n)*id="late"'):
        assert_accessible(page)
