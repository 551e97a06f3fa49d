"""The services of this process, for the pages about them: the others have pages of their own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from infra.operations.dead_letters.groups import listed
from infra.operations.dead_letters.letters import DeadLetter
from shared.host.runtime import Runtime
from shared.processing.store import triage
from shared.processing.store.tables import Triage
from shared.web.auth import Caller, not_there
from shared.web.pages import PageTemplates, staff_with

SCOPE = "dead-letters:manage"
MOST_LETTERS = 500
"""The oldest of a service that are read for a page; the rest follows when these are dealt with."""

TEMPLATES = PageTemplates(Path(__file__).parent / "templates")

Operator = Annotated[Caller, Depends(staff_with(SCOPE))]


@dataclass(frozen=True)
class Letter:
    """A dead letter in a list, with what operators tell each other of it."""

    dead: DeadLetter
    care: Triage | None


@dataclass(frozen=True)
class Group:
    """Letters that died of the same; the oldest comes first."""

    fingerprint: str
    letters: list[Letter] = field(default_factory=list)

    @property
    def first(self) -> DeadLetter:
        """The oldest, which stands for all of them."""
        return self.letters[0].dead

    @property
    def not_kept(self) -> int:
        """How many more of the same speakers were refused and are counted only."""
        return max(letter.dead.not_kept for letter in self.letters)

    @property
    def open_letters(self) -> list[DeadLetter]:
        """Those that nobody has put on hold."""
        return [one.dead for one in self.letters if one.care is None or not one.care.on_hold]


def groups_of(runtime: Runtime) -> list[Group]:
    """A service's dead letters by what went wrong, the group of the oldest first."""
    dead = listed(runtime.service, runtime.database, MOST_LETTERS)
    with runtime.reading() as session:
        cared = triage.of(session, [letter.id for letter in dead])
    groups: dict[str, Group] = {}
    for letter in dead:
        group = groups.setdefault(letter.fingerprint, Group(letter.fingerprint))
        group.letters.append(Letter(letter, cared.get(letter.id)))
    return list(groups.values())


def finder(runtimes: Sequence[Runtime]) -> Callable[[str], Runtime]:
    """Finds the service of an address among those of this process.

    The finder raises NotFound where another process has it: a proxy would not have asked here.
    """
    by_name = {runtime.service.name: runtime for runtime in runtimes}

    def find(service: str) -> Runtime:
        if service not in by_name:
            raise not_there()
        return by_name[service]

    return find


def is_fragment(request: Request) -> bool:
    """Whether a page asks for a part of itself."""
    return request.headers.get("hx-request") == "true"
