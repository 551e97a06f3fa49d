"""Passwords that are hashed at once, for tests that compare hundreds and are not about the cost."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from argon2 import PasswordHasher

from services.activation.login import passwords

AT_ONCE = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@contextmanager
def hashed_at_once() -> Iterator[None]:
    """Hash without the cost that OWASP asks for; whoever comes afterwards pays it again."""
    passwords._dummy.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", AT_ONCE)
        yield
    passwords._dummy.cache_clear()
