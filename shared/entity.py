"""The base of every table: a SQLModel that trusts its own code.

SQLModel looks every field up again for each instance and sets each value twice, once for itself
and once for SQLAlchemy. That was a fifth of the time of a registration. What we store was
validated on its way in, as an event or a request, so that one assignment is enough.
"""

from typing import Any

from pydantic_core import PydanticUndefined
from sqlmodel import SQLModel


class Entity(SQLModel):
    """One row, made with its columns by name and changed by assignment.

    Raises:
        TypeError: it was made with a name that is no column.
        AttributeError: a name that is no column was assigned.
    """

    def __init__(self, **values: Any) -> None:
        fields = type(self).__pydantic_fields__
        if not values.keys() <= fields.keys():
            unknown = ", ".join(sorted(values.keys() - fields.keys()))
            raise TypeError(f"{type(self).__name__} has no {unknown}")
        for name, field in fields.items():
            value = values[name] if name in values else field.get_default(call_default_factory=True)
            if value is not PydanticUndefined:
                object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in type(self).__pydantic_fields__:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        # A column is a descriptor of SQLAlchemy's, which takes note of the change.
        object.__setattr__(self, name, value)
