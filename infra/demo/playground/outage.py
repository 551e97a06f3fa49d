"""A mail service that can be taken away, to see that nothing is lost by it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.notifications.senders import Senders
from shared.notifications.senders.outgoing import Email, Sms
from shared.notifications.senders.protocol import ProviderUnavailable, Sender


@dataclass
class Outage:
    """Whether mails and text messages leave at the moment."""

    seconds: Callable[[], float] = time.monotonic
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, seconds: float) -> None:
        """Take the mail service away for so long."""
        with self._lock:
            self._until = self.seconds() + seconds

    @property
    def remaining(self) -> float:
        """For how many seconds it is away yet."""
        with self._lock:
            return max(0.0, self._until - self.seconds())

    def around(self, senders: Senders) -> Senders:
        """The same ways out, closed while it lasts."""
        return Senders(_MailWay(senders.email, self), _SmsWay(senders.sms, self))

    def require_open(self) -> None:
        """Refuse to send while it lasts.

        Raises:
            ProviderUnavailable: it lasts.
        """
        if self.remaining:
            raise ProviderUnavailable("the mail service was taken away for a while")


@dataclass(frozen=True)
class _MailWay:
    sender: Sender[Email]
    outage: Outage

    def send(self, message: Email) -> str:
        """Hand it on, unless the service is away."""
        self.outage.require_open()
        return self.sender.send(message)


@dataclass(frozen=True)
class _SmsWay:
    sender: Sender[Sms]
    outage: Outage

    def send(self, message: Sms) -> str:
        """Hand it on, unless the service is away."""
        self.outage.require_open()
        return self.sender.send(message)
