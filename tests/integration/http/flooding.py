"""Many log-ins at one moment: `python -m tests.integration.http.flooding PORT NAME MANY`."""

import asyncio
import json
import sys


async def guess(port: int, name: str, everybody: asyncio.Barrier) -> int:
    """Connect, wait for all others, log in; the status of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await everybody.wait()
    body = json.dumps({"login_name": name, "password": "geraden"})
    head = "POST /api/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status


async def flood(port: int, name: str, many: int) -> list[int]:
    """The status of each answer."""
    everybody = asyncio.Barrier(many)
    return list(await asyncio.gather(*(guess(port, name, everybody) for _ in range(many))))


if __name__ == "__main__":
    port, name, many = sys.argv[1:]
    print(json.dumps(asyncio.run(flood(int(port), name, int(many)))))  # noqa: T201  To the test.
