"""Pages for people: what every one of them has in common.

A service's `pages.py` makes its screens with this face alone: a router from `pages_router`, its
templates by `PageTemplates`, staff by `staff_with(scope)`, forms by `Posted`.
"""

from shared.base.words import Words
from shared.web.navigation import NavigationEntry
from shared.web.pages.forms import FORM_KEY, FormView, Posted, PostedForm, reads_form
from shared.web.pages.guards import NO_REFERRER, policy
from shared.web.pages.holders import LinkHolder, holder_of, link_over_page
from shared.web.pages.language import language_of
from shared.web.pages.live import EventSourceResponse, ServerSentEvent, changes
from shared.web.pages.rendering import PageTemplates, fingerprint, own_path, see_other
from shared.web.pages.router import pages_router
from shared.web.pages.site import Site, site_of
from shared.web.pages.visitors import (
    PASS_COOKIE,
    SEEN_COOKIE,
    AnyStaff,
    find_staff,
    set_cookie,
    staff_with,
)

__all__ = [
    "FORM_KEY",
    "NO_REFERRER",
    "PASS_COOKIE",
    "SEEN_COOKIE",
    "AnyStaff",
    "EventSourceResponse",
    "FormView",
    "LinkHolder",
    "NavigationEntry",
    "PageTemplates",
    "Posted",
    "PostedForm",
    "ServerSentEvent",
    "Site",
    "Words",
    "changes",
    "find_staff",
    "fingerprint",
    "holder_of",
    "language_of",
    "link_over_page",
    "own_path",
    "pages_router",
    "policy",
    "reads_form",
    "see_other",
    "set_cookie",
    "site_of",
    "staff_with",
]
