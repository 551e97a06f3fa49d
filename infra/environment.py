"""Which variables of the environment are meant for us: a misspelt one would change nothing."""

import re
from collections.abc import Iterable, Mapping

PREFIX = "STAPPENPLAN_"
OTHERS = re.compile(r"STAPPENPLAN_(TOKEN|WRITE_SCREENS|TESTS?_\w+)")
"""What we tell others to set: websites their bearer token, developers where their servers are."""

LINK = re.compile(r"(tcp|udp|sctp)://")
LINKED = re.compile(
    r"STAPPENPLAN_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|ENV_\w+"
    r"|PORT_[0-9]+_(TCP|UDP|SCTP)(_(START|END|PROTO|PORT|ADDR))?)"
)
LINK_NAME = re.compile(r"/[^/]+/[^/]+")
"""What Kubernetes sets in every container for each Service, and Docker for each link: for a Service
named `stappenplan` that is STAPPENPLAN_SERVICE_HOST, STAPPENPLAN_PORT_8080_TCP and so on. Nobody
wrote those, so nobody can have misspelt them."""

BY_KUBERNETES = (
    "Kubernetes has set this for a Service of that name, before anybody could; set "
    "`enableServiceLinks: false` in the pod, or give the Service another name"
)
ALIKE = 0.85
"""How like a setting's name one must be to be taken for it (`difflib`, 0 to 1). With less, a
setting of a newer version would be taken for a slip: DATABASE_POOL and DATABASE_URL have 0.8."""


def set_by_kubernetes(value: str) -> bool:
    """Whether a value is the address of a Service, under a name that we read as a setting's."""
    return LINK.match(value) is not None


def known_names() -> set[str]:
    """Every setting, as its variable is called."""
    from shared.host.settings import Creditor, Settings
    from shared.host.staff_settings import StaffSettings

    return {
        str(model.model_config["env_prefix"]) + name.upper()
        for model in (Settings, StaffSettings, Creditor)
        for name in model.model_fields
        if name not in ("creditor", "staff")
    }


def misspelt(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that are no setting, and almost one: each with a sentence.

    These are refused. Whoever wrote one meant something by it, and does not get it.
    """
    known = known_names()
    meant = {name: _meant_by(name, known) for name in _candidates(environ, known)}
    return {
        name: f"there is no such setting; do you mean {setting}?"
        for name, setting in meant.items()
        if setting
    }


def strangers(environ: Mapping[str, str]) -> list[str]:
    """Variables that begin like settings, and are like none.

    These are only told of. They may be a newer version's: whoever goes back to this one for a while
    leaves the settings as they are, and must be able to start.
    """
    known = known_names()
    return [
        name
        for name in _candidates(environ, known)
        if name.startswith(PREFIX) and not _meant_by(name, known)
    ]


def _candidates(environ: Mapping[str, str], known: set[str]) -> Iterable[str]:
    """The variables that might be meant for us and are no setting."""
    for variable, value in sorted(environ.items()):
        name = variable.upper()
        if "_" in name and value and name not in known and not _is_anothers(name, value):
            yield name


def _is_anothers(name: str, value: str) -> bool:
    if OTHERS.fullmatch(name) or LINKED.fullmatch(name):
        return True
    linked = name.endswith("PORT") and LINK.match(value)
    return bool(linked or (name.endswith("_NAME") and LINK_NAME.fullmatch(value)))


def _meant_by(name: str, known: set[str]) -> str | None:
    """The setting that a name was to be, if it is almost one."""
    prefix, _, rest = name.partition("_")
    ours = prefix + "_" == PREFIX
    if not ours and (PREFIX + rest not in known or not _alike(prefix, PREFIX)):
        return None
    if not ours:
        return PREFIX + rest
    close = _closest(name, known)
    words = set(rest.split("_"))
    # A word too few, as in STAPPENPLAN_BROKER.
    longer = [each for each in known if words < set(each.split("_"))]
    return close or min(sorted(longer), key=len, default=None)


def _closest(name: str, known: set[str]) -> str | None:
    from difflib import get_close_matches

    # What all have in common would make any two alike.
    ends = {each.removeprefix(PREFIX): each for each in known}
    end = name.removeprefix(PREFIX)
    # Of a short name two letters in the wrong order are much.
    found = get_close_matches(end, ends, 1, ALIKE) or [
        each for each in ends if sorted(each) == sorted(end)
    ]
    return ends[found[0]] if found else None


def _alike(one: str, other: str) -> bool:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, one, other.rstrip("_")).ratio() >= ALIKE
