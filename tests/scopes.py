"""What a token may allow, for tests that call as somebody who may do anything."""

from infra.composition import scopes
from shared.host.settings import Settings

SCOPES = scopes(Settings())
