"""What activation says: credentials sent, first log-in, another contact. Never the password."""

from typing import ClassVar

from pydantic import AwareDatetime

from shared.events.event import Event
from shared.events.shapes import Channel, Code, Email, Line, Mobile


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
    """Any step: the customer is reached elsewhere from now on; links sent before are void."""

    event_type: ClassVar[str] = "customer.contact_changed.v1"
    said_by: ClassVar[str] = "activation"

    email: Email | None = None
    mobile: Mobile | None = None
