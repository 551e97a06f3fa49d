"""What a body is, as content types say it (RFC 9110, 8.3): a class of texts, not one."""

JSON = "application/json"


def media_type(value: object) -> str:
    """A media type in its normal form: in small letters, without parameters; empty for none.

    What JSON is encoded in is no matter of a parameter: it is UTF-8, whatever one says (RFC 8259).
    """
    return value.partition(";")[0].strip().lower() if isinstance(value, str) else ""


def is_json(media: str) -> bool:
    """Whether a media type in its normal form stands for JSON (RFC 6839)."""
    return media == JSON or media.endswith("+json")
