"""The site that the pages of this process belong to, as the settings say it."""

from collections.abc import Callable, Sequence
from functools import partial

from infra.composition import navigation
from shared.host.requests import Clock
from shared.host.runtime import Runtime, utc_now
from shared.host.settings import Settings
from shared.web.pages import Site


def build_site(
    settings: Settings, runtimes: Sequence[Runtime] = (), clock: Clock | None = None
) -> Site:
    """Its address, its links, and the menu of all services: the others run elsewhere, on it too."""
    return Site(
        links=settings.page_links(),
        navigation=navigation(settings),
        is_public=bool(settings.public_url),
        is_embedded=settings.embedded,
        session_is_open=_session_check(runtimes),
        clock=clock or service_clock(runtimes),
    )


def service_clock(runtimes: Sequence[Runtime]) -> Clock:
    """The time by which a process judges what others have signed: that of a service in it."""
    return runtimes[0].clock if runtimes else utc_now


def _session_check(runtimes: Sequence[Runtime]) -> Callable[[str], bool] | None:
    """How to tell whether a session is open, where the service that keeps them is at work here."""
    for runtime in runtimes:
        if runtime.service.sessions is not None:
            return partial(runtime.service.sessions, runtime)
    return None
