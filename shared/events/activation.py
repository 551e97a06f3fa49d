"""What activation says: credentials sent, the first log-in, a changed contact. Never a password."""

from typing import ClassVar

from pydantic import AwareDatetime, ConfigDict, model_validator

from shared.events.event import Event
from shared.events.shapes import Channel, Code, Email, Line, Mobile

WAYS = ("email", "mobile")
"""By what a customer is reached; a change names one of them at least."""


class CustomerActivated(Event):
    """ACTIVEREN: login name and one-time password have left by SMS or e-mail."""

    event_type: ClassVar[str] = "customer.activated.v1"
    said_by: ClassVar[str] = "activation"

    login_name: Code
    channel: Channel
    activated_by: Line
    expires_at: AwareDatetime


class CustomerLoggedIn(Event):
    """INLOGGEN: the customer's first successful log-in."""

    event_type: ClassVar[str] = "customer.logged_in.v1"
    said_by: ClassVar[str] = "activation"

    login_name: Code
    first_login_at: AwareDatetime


class CustomerContactChanged(Event):
    """Any step: the customer is reached elsewhere from now on; links of before are void."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [name]} for name in WAYS]})

    event_type: ClassVar[str] = "customer.contact_changed.v1"
    said_by: ClassVar[str] = "activation"

    email: Email | None = None
    mobile: Mobile | None = None

    @model_validator(mode="after")
    def _something(self) -> "CustomerContactChanged":
        if self.email is None and self.mobile is None:
            raise ValueError("it names neither an e-mail address nor a mobile number")
        return self
