"""What is said of settings that are wrong: of each that is, and of no other."""

import pytest
from pydantic import ValidationError

from infra.context import complaints
from shared.host.settings import Settings


@pytest.mark.parametrize("name", ["token_key", "seal_key"])
def test_a_key_that_is_too_short_is_all_that_is_complained_of(name: str) -> None:
    # Given a key that is too short, When the settings are read,
    with pytest.raises(ValidationError) as refusal:
        Settings(**{name: "short"})  # type: ignore[arg-type]
    # Then that is said, and nothing of settings that nobody has set.
    ((where, what),) = complaints(refusal.value)
    assert where == name
    assert what.startswith("a key has at least 32 bytes")
