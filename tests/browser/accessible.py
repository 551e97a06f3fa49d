"""WCAG 2.2 A and AA, and good practice, as far as a machine can tell: axe-core over a page."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

from tests.browser.standing import wait_until_it_stands

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
NOSCRIPT = re.compile("</?noscript[^>]*>")
"""Around what is there for those without scripts; the copy shows it."""

RUN = """
tags => axe.run(document, {
    runOnly: {type: "tag", values: tags},
    resultTypes: ["violations"],
    preload: false,
}).then(found => found.violations)
"""


def assert_accessible(page: Page) -> None:
    """Raise AssertionError, naming rule, element and remedy, where axe finds something amiss.

    axe is handed over as the debugger's own code, which no Content-Security-Policy is asked
    about: so it looks at the very page that the person has open, its policy in force, and a
    violation that the *page* makes is still seen. Where the person has scripts off, axe could
    not run either: it looks at a copy of what they see.
    """
    wait_until_it_stands(page)
    with _where_scripts_run(page) as looked_at:
        looked_at.evaluate(_axe())
        violations = looked_at.evaluate(RUN, list(TAGS))
    report = "\n".join(line for violation in violations for line in _lines(violation))
    assert not violations, f"{page.url} is not accessible to everybody:\n{report}"


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@contextmanager
def _where_scripts_run(page: Page) -> Iterator[Page]:
    if page.evaluate("matchMedia('(scripting: enabled)').matches"):
        yield page
        return
    browser = page.context.browser
    assert browser is not None, "a page of a persistent profile cannot be copied"
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    context = browser.new_context(
        viewport=page.viewport_size, color_scheme="dark" if dark else "light"
    )
    try:
        yield _copy(page, context.new_page())
    finally:
        context.close()


def _copy(page: Page, copy: Page) -> Page:
    """The same page, as it is without scripts; those that it names do not run."""
    address = page.url.partition("#")[0]
    content = NOSCRIPT.sub("", page.content())
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "script-src 'none'",
    }
    copy.route(
        lambda url: url == address, lambda route: route.fulfill(body=content, headers=headers)
    )
    copy.goto(address)
    return copy


def _lines(violation: Mapping[str, Any]) -> Iterator[str]:
    yield f"- {violation['id']}: {violation['help']} ({violation['helpUrl']})"
    for node in violation["nodes"]:
        yield f"    {' '.join(map(str, node['target']))}: {node['html']}"
        for line in str(node["failureSummary"]).splitlines():
            yield f"        {line.strip()}"
