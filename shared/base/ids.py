"""UUIDs as people and programs write them (RFC 9562, 4), in the one form in which we keep them."""

import re

WRITTEN = re.compile(
    r"(?:urn:uuid:)?(?P<open>\{)?(?P<digits>[0-9a-f]{32}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?(open)\})",
    re.ASCII | re.IGNORECASE,
)
AS_WE_WRITE_THEM = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def read_uuid(text: str) -> str | None:
    """A UUID with hyphens and in small letters; None when the text is none.

    It may be written with hyphens or without, in capitals, in braces, or as a URN: the same id is
    the same, and inbox, links and history know it by this form alone.
    """
    if AS_WE_WRITE_THEM.fullmatch(text):
        return text
    written = WRITTEN.fullmatch(text)
    if written is None:
        return None
    digits = written["digits"].replace("-", "").lower()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
