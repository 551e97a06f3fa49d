"""pika's connection, but frames that are written in one go are sent in one go."""

import pika  # noqa: TID251 - this package is the one place where AMQP is spoken.


class Connection(pika.SelectConnection):  # type: ignore[misc]
    """Gathers what is written until the loop comes round, which is before it sleeps.

    A message is three frames. pika makes a system call for each, and each time another thread
    may take the interpreter, and keep it.
    """

    _gathered: list[bytes] | None = None

    def _adapter_emit_data(self, data: bytes) -> None:
        if self._gathered is None:
            self._gathered = []
            self.ioloop.call_later(0, self._emit)
        self._gathered.append(data)

    def _emit(self) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered and self._transport is not None:
            super()._adapter_emit_data(b"".join(gathered))
