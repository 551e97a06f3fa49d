"""What a client would rather have, as its `Accept…` headers say it (RFC 9110, 12.4.2 and 12.5)."""

from collections.abc import Iterator

MOST_MEMBERS = 50
"""No client has more wishes than this; whoever writes more is not listened to any further."""


def preferences(header: str) -> list[str]:
    """The members of such a header in small letters, the most wanted first.

    What it does not want at all (`q=0`) is left out; what has no readable weight, weighs 1.
    """
    weighed = sorted(_members(header), key=lambda member: -member[1])
    return [name for name, weight in weighed if weight > 0]


def _members(header: str) -> Iterator[tuple[str, float]]:
    for member in header.lower().split(",")[:MOST_MEMBERS]:
        name, *parameters = (part.strip() for part in member.split(";"))
        if name:
            yield name, _weight(parameters)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 1.0
    return 1.0
