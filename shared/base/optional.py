"""Parts of libraries that we do without, although what they are made for is installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Have what is imported meanwhile do as it does where these packages are not installed.

    For libraries that load another one in case somebody wants what it adds, and say themselves how
    they go on where it is missing. What is loaded already stays. Other threads miss the packages as
    well meanwhile: so this is for the start of a process, or for what nothing here ever uses.
    """
    hidden = [name for name in packages if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # By this `import` knows it is not there.
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
