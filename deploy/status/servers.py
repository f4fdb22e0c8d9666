"""Whether the servers beside the services answer: a service that has nothing to ask them does not notice at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from deploy.local.ports import LOOPBACK

_DEADLINE_S = 2.0
# The least that each of them answers before it knows who asks: a PING that may be refused, and whether TLS is spoken.
_GREETINGS: Mapping[str, bytes] = {
    "redis": b"PING\r\n",
    "postgres": b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
}


async def silent_servers(ports: Mapping[str, int]) -> set[str]:
    """Those of the servers on this machine, that say nothing within 2 s.

    Args:
        ports: of the parts of a system by name; only PostgreSQL and Redis are asked.
    """
    names = [name for name in ports if name in _GREETINGS]
    answers = await asyncio.gather(*(_answers(ports[name], _GREETINGS[name]) for name in names))
    return {name for name, answers_it in zip(names, answers, strict=True) if not answers_it}


async def _answers(port: int, greeting: bytes) -> bool:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_DEADLINE_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(greeting)
                return bool(await reader.read(1))
            finally:
                writer.close()
    return False
