"""A client that is not ours: Debian's `amqp-publish`, which can set very little."""

import shutil
import subprocess
from pathlib import Path

from tests.servers.debian import ensure


def amqp_publish(
    url: str,
    exchange: str,
    routing_key: str,
    body: str,
    content_type: str = "",
    **headers: str,
) -> None:
    """Publish a message; `headers` are the attributes of an event in binary mode.

    This client sets no message id, no type and no user.
    """
    program = ensure("amqp-tools", _program)
    words = [str(program), "--url", url, "--exchange", exchange, "--routing-key", routing_key]
    words += ["--content-type", content_type] if content_type else []
    for name, value in headers.items():
        # This client takes a header's name to end at the first colon: hence the underscore.
        words += ["--header", f"cloudEvents_{name}: {value}"]
    subprocess.run([*words, "--body", body], check=True, timeout=30)


def _program() -> Path | None:
    path = shutil.which("amqp-publish")
    return Path(path) if path else None
