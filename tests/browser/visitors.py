"""People who visit the pages, each with a browser profile of their own."""

from collections.abc import Collection
from datetime import datetime

from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.faults import Faults
from tests.e2e.stage import Stage
from tests.visitors import sign_in

PATIENCE_MILLISECONDS = 5_000
HEIGHT = 800
LOCALES = {"nl": "nl-NL", "en": "en-GB"}


class Visitors:
    """Makes a page for each person; `require_no_faults` says whether all of them behaved."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self._browser = browser
        self._origin = origin
        self._contexts: list[tuple[BrowserContext, Faults]] = []

    def __call__(
        self,
        *,
        javascript: bool = True,
        language: str = "nl",
        width: int = 1280,
        zoom: int = 1,
        dark: bool = False,
        at: datetime | None = None,
        expects: Collection[int] = (),
        origins: Collection[str] = (),
    ) -> Page:
        """The page of a person who has never been here; paths are enough as addresses.

        `zoom=2` is a browser at 200 %: half as many pixels of CSS, each twice as large. `at` is
        what the scripts of the page take for now. `expects` are the statuses from 400 on that
        the test provokes, `origins` those that may be asked beside the stage's own.
        """
        context = self._browser.new_context(
            base_url=self._origin,
            java_script_enabled=javascript,
            locale=LOCALES[language],
            viewport={"width": width // zoom, "height": HEIGHT // zoom},
            device_scale_factor=zoom,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            timezone_id="Europe/Amsterdam",
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        if at is not None:
            context.clock.set_fixed_time(at)
        faults = Faults(context, {self._origin, *origins}, expects)
        self._contexts.append((context, faults))
        return context.new_page()

    def faults(self) -> list[str]:
        """What the pages of all these people did wrong."""
        return [fault for _, faults in self._contexts for fault in faults.all()]

    def leave(self) -> None:
        """Close every page; raise AssertionError where one did what no page may do."""
        try:
            for _, faults in self._contexts:
                faults.require_none()
        finally:
            self.close()

    def close(self) -> None:
        """Close every page, whatever it did."""
        for context, _ in self._contexts:
            context.close()
        self._contexts.clear()


def as_staff(page: Page, stage: Stage, origin: str, role: str, office: str | None = None) -> Page:
    """The same page, with somebody before it who has signed in."""
    kept = sign_in(stage.settings, role, office, "M. Voorbeeld", at=stage.clock())
    page.context.add_cookies(
        [
            {"name": f"stappenplan-{cookie}", "value": value, "url": origin}
            for cookie, value in kept.items()
        ]
    )
    return page
