"""A small HTTP client for measuring: kept connections, requests made beforehand, a stopwatch."""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """What was measured of one call: answers a second, and how long one takes, in milliseconds."""

    per_second: float
    p50: float
    p95: float


def request(method: str, path: str, body: bytes = b"", token: str = "") -> bytes:
    """One request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def measure(port: int, requests: Sequence[bytes], connections: int, status: int) -> Pace:
    """Send each request once, over so many connections at a time.

    Raises:
        RuntimeError: an answer had another status than the one that is expected.
    """
    return asyncio.run(_measure(port, requests, connections, status))


async def _measure(port: int, requests: Sequence[bytes], connections: int, status: int) -> Pace:
    remaining = iter(requests)
    began = time.perf_counter()
    parts = await asyncio.gather(*(_client(port, remaining, status) for _ in range(connections)))
    seconds = time.perf_counter() - began
    taken = [duration for part in parts for duration in part]
    cuts = statistics.quantiles(taken, n=20)
    return Pace(len(taken) / seconds, statistics.median(taken) * 1000, cuts[-1] * 1000)


async def _client(port: int, requests: Iterator[bytes], status: int) -> list[float]:
    """One connection, kept: the next request is sent when the one before is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    try:
        for message in requests:
            began = time.perf_counter()
            writer.write(message)
            await _answer(reader, status)
            taken.append(time.perf_counter() - began)
    finally:
        writer.close()
    return taken


async def _answer(reader: asyncio.StreamReader, status: int) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    body = await reader.readexactly(length)
    if int(head.split(b" ", 2)[1]) != status:
        raise RuntimeError(f"expected {status}: {head[:200]!r} {body[:300]!r}")
