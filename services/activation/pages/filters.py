"""Which customers the work list shows: what stands in its address, read and written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args
from urllib.parse import urlencode

from fastapi import Request

from services.activation.checklist import Actor
from services.activation.overview import Search, StepName
from services.activation.pages.groups import BY_NAME, Group
from shared.base.errors import FieldError, Invalid
from shared.base.text import NotPlainText, normal
from shared.web.paging import LONGEST_AFTER

STEPS: tuple[Any, ...] = get_args(StepName)
ACTORS: tuple[Any, ...] = tuple(actor for actor in get_args(Actor) if actor != "nobody")
LONGEST = {"q": 200, "office": 35, "after": LONGEST_AFTER}


@dataclass(frozen=True)
class Filters:
    """What is asked for; a blank field of the form asks for nothing."""

    values: Mapping[str, str]

    @classmethod
    def of(cls, request: Request) -> "Filters":
        """What stands in the address.

        Raises:
            Invalid: it names a step, a part or a group that there is not.
        """
        allowed: dict[str, Any] = {"step": STEPS, "actor": ACTORS, "group": BY_NAME}
        values = {}
        for name in ("q", "step", "actor", "office", "group", "after"):
            value = request.query_params.get(name, "").strip()
            if value and (value not in allowed.get(name, (value,)) or not _fits(name, value)):
                raise _unknown(name)
            if value:
                values[name] = value
        return cls(values)

    @property
    def group(self) -> Group | None:
        """The group that is shown alone."""
        return BY_NAME.get(self.values.get("group", ""))

    @property
    def is_search(self) -> bool:
        """Whether somebody looks for customers, instead of for their work."""
        return bool(self.values.keys() - {"office", "after"})

    @property
    def office(self) -> str | None:
        """The one office that is asked for."""
        return self.values.get("office")

    def search(self) -> Search:
        """The customers who are asked for."""
        return Search(
            self.values.get("q"),
            cast("StepName | None", self.values.get("step")),
            cast("Actor | None", self.values.get("actor")),
            self.office,
            self.group.blocker if self.group else None,
        )

    def query(self, **changes: str) -> str:
        """What stands in an address for these filters, with these changes."""
        return urlencode({**self.values, **changes})

    def of_group(self, name: str) -> str:
        """What stands in the address of one group, of the office that is asked for."""
        office = {"office": self.office} if self.office else {}
        return urlencode({"group": name, **office})


def _fits(name: str, value: str) -> bool:
    try:
        normal(value)
    except NotPlainText:
        return False
    return len(value) <= LONGEST.get(name, 200)


def _unknown(name: str) -> Invalid:
    text = "The work list cannot be filtered like that; begin again at its first page."
    return Invalid("filter_unknown", text, errors=[FieldError(field=name, code="x", message=text)])
