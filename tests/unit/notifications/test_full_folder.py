"""A folder for mails that takes none."""

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from shared.notifications.senders.files import SmsFolder
from shared.notifications.senders.outgoing import Sms
from shared.notifications.senders.protocol import ProviderUnavailable


def test_a_full_disk_is_no_messages_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a disk that is full,
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "open", refuse)
    # When a text message is written, Then all of them wait, and it is said why.
    text = Sms(to="+31612345678", text="Hallo", kind="credentials", message_key="key")
    with pytest.raises(ProviderUnavailable, match="cannot write to sms/: No space left on device"):
        SmsFolder(tmp_path / "sms").send(text)
