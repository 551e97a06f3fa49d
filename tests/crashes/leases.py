"""Constants of the product, made shorter for the programs that the tests start in its place.

The leases are constants, and a setting for them would be one too many. Each module has its own
name for a constant that it imports, so that one assignment would not reach them all.
"""

import sys
from datetime import timedelta
from types import ModuleType

LEASES = timedelta(seconds=3)


def replace(module: ModuleType, **values: object) -> None:
    """Give constants of a module other values, for all who have imported them and who will.

    Raises:
        AttributeError: the module has no such constant.
        AssertionError: somebody has imported one of them under another name.
    """
    for name, value in values.items():
        before = getattr(module, name)
        for holder in _ours():
            if vars(holder).get(name) is before:
                setattr(holder, name, value)
        if isinstance(before, timedelta):
            left = [holder.__name__ for holder in _ours() if _holds(holder, before)]
            assert not left, f"{', '.join(left)} would go on with the old {name}"


def shorten_leases() -> None:
    """What a dead process had claimed is free for others after three seconds.

    How long one round of sending may take stays as it is: on a busy machine, mails are not
    rendered in half of three seconds, and would be given back unsent for ever.

    Raises:
        AssertionError: who claims has a lease of another length.
    """
    from shared.notifications.delivery import claims
    from shared.processing import retry_policy
    from shared.processing.store import inbox, outbox

    replace(retry_policy, MESSAGE_LEASE=LEASES, OUTBOX_LEASE=LEASES, NOTIFICATION_LEASE=LEASES)
    held = (
        vars(inbox)["MESSAGE_LEASE"],
        vars(outbox)["OUTBOX_LEASE"],
        vars(claims)["NOTIFICATION_LEASE"],
    )
    assert all(lease is LEASES for lease in held), held


def _ours() -> list[ModuleType]:
    """The modules of the product that are loaded."""
    rooms = ("shared.", "services.", "infra.")
    return [module for name, module in list(sys.modules.items()) if name.startswith(rooms)]


def _holds(module: ModuleType, constant: object) -> bool:
    return any(value is constant for value in vars(module).values())
