"""What an event is: a fact in the past tense, without an id and without a time.

Id, time, subject and cause are on the envelope (`shared.events.envelope`), so that two equal
facts are equal. The names and fields are fixed by the public contract; a field may be added as
optional, anything else is a new `.v2` class beside the old one.
"""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """A fact that one speaker says and others may hear.

    A subclass that sets `event_type` is part of the public language and enters `EVENTS`.
    Unknown fields are ignored, so that a newer speaker does not break an older listener. What is
    wrong is told without what was said, since errors are kept and logged.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", ser_json_timedelta="iso8601", hide_input_in_errors=True
    )

    event_type: ClassVar[str] = ""
    said_by: ClassVar[str] = ""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Enter the subclass in the public language.

        Raises:
            TypeError: two classes claim one name, or a named event has no speaker.
        """
        super().__pydantic_init_subclass__(**kwargs)
        if not cls.event_type:
            return
        if not cls.said_by:
            raise TypeError(f"{cls.__name__} needs a `said_by`: who may publish it?")
        known = EVENTS.setdefault(cls.event_type, cls)
        if known.__qualname__ != cls.__qualname__:
            raise TypeError(f"{known.__name__} and {cls.__name__} both claim {cls.event_type}")


EVENTS: dict[str, type[Event]] = {}
"""Every event of the public language, by its name on the wire."""
