"""How things can fail, in one small tree.

A handler ends in two ways: it returns, or it raises `Reject`, since its message can never work.
What a person asked for may also end in a `Problem`, which HTTP turns into
`application/problem+json` (RFC 9457). Anything else that is raised is tried again.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints


class FieldError(BaseModel):
    """What is wrong with one field, in a sentence for the person who filled it in."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    field: Annotated[str, StringConstraints(max_length=200)]
    code: Annotated[str, StringConstraints(max_length=80)]
    message: Annotated[str, StringConstraints(max_length=500)]


class StappenplanError(Exception):
    """The root of all errors that are ours."""


class WrongSettings(StappenplanError):
    """A setting makes no sense; the text names it and says what to do, never its value."""


class Reject(StappenplanError):
    """This message can never work; it becomes a dead letter with this reason, at once."""


class Malformed(Reject):
    """The message cannot be read as an event; the reason says what to correct."""


class InfrastructureDown(StappenplanError):
    """Database or broker is away; messages are kept and no attempt is counted."""


class Problem(StappenplanError):
    """A request that cannot be done, told to a person.

    `code` is stable and meant for programs, `detail` is a sentence that says what to do,
    `errors` name the fields at fault, `extra` are further members of the problem document.
    """

    status = 400

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.extra = dict(extra or {})


class Unauthorized(Problem):
    """No valid token came with the request."""

    status = 401


class Forbidden(Problem):
    """The token is valid, but not for this."""

    status = 403


class NotFound(Problem):
    """There is no such thing, or it belongs to another office."""

    status = 404


class Conflict(Problem):
    """The state of things does not allow it now; `extra` says what stands in the way."""

    status = 409


class TooLarge(Problem):
    """The body is larger than a message may be."""

    status = 413


class Invalid(Problem):
    """The contents are wrong; `errors` name each field."""

    status = 422


class KeyReused(Invalid):
    """What the Idempotency-Key stands for was done already, with other contents."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency_key_reused",
            "This Idempotency-Key was used for other contents; send a new key.",
        )


class TooManyRequests(Problem):
    """Locked out for a while; `extra` says for how many seconds."""

    status = 429


class Unavailable(Problem):
    """Database or broker is away; the same request will work later."""

    status = 503
