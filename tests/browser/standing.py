"""A page that stands: whoever looks at one that is still arriving judges half of it."""

from playwright.sync_api import Page


def wait_until_it_stands(page: Page) -> None:
    """Return as soon as the page on its way has arrived whole, its stylesheets with it.

    A click returns when the answer begins, and what a script of the browser's is asked from then
    on it answers about as much as has come. Raises TimeoutError where the rest never comes.
    """
    page.wait_for_load_state("load")
