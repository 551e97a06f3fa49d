"""Signed links: the address of a page that lets in whoever holds it, and until when.

Any process can make one, for any page, without asking anybody; the page's owner reads it. They are
signed with a key derived from the token key, so a link ends when its key is taken out of use.
"""

from shared.links.pages import LIFETIMES, PageLinks, Purpose
from shared.links.signing import Expired, Invalid, Signed, Signer

__all__ = ["LIFETIMES", "Expired", "Invalid", "PageLinks", "Purpose", "Signed", "Signer"]
