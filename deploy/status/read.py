"""Asking every process at once for its readiness and its metrics; who does not answer in time is told as that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
import msgspec
from yarl import URL

from deploy.status.samples import Samples, parse
from deploy.status.targets import BROKER, Target

_DEADLINE_S = 4.0  # longer than the 2 s that a service gives each thing its readiness asks
_BYTES_MAX = 16 * 1024 * 1024
_SHOWN_CHARS = 200
_BROKER_METRICS = "/metrics/detailed?family=queue_consumer_count"


class _Readiness(msgspec.Struct):
    status: str
    failed: dict[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one process told of itself."""

    target: Target
    samples: Samples = field(default_factory=Samples)
    failed: dict[str, str] = field(default_factory=dict)  # what its readiness lacks, and why
    error: str | None = None  # why it told nothing, in words


async def read_all(targets: Sequence[Target]) -> list[Reading]:
    """Ask all of them at once; takes 4 s at most, and never raises for what one of them does."""
    timeout = aiohttp.ClientTimeout(total=_DEADLINE_S)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
        return list(await asyncio.gather(*(_read(session, target) for target in targets)))


async def _read(session: aiohttp.ClientSession, target: Target) -> Reading:
    try:
        if target.name == BROKER:
            return Reading(target=target, samples=await _metrics(session, target, _BROKER_METRICS))
        samples, failed = await asyncio.gather(_metrics(session, target, "/metrics"), _lacks(session, target))
        return Reading(target=target, samples=samples, failed=failed)
    except TimeoutError:
        return Reading(target=target, error=f"no answer within {_DEADLINE_S:g} s")
    except (aiohttp.ClientError, OSError, ValueError, msgspec.MsgspecError) as error:
        return Reading(target=target, error=_words(error))


async def _metrics(session: aiohttp.ClientSession, target: Target, path: str) -> Samples:
    _, text = await _get(session, target, path)
    return await asyncio.to_thread(parse, text)


async def _lacks(session: aiohttp.ClientSession, target: Target) -> dict[str, str]:
    status, text = await _get(session, target, "/readyz", also=(503,))
    if status == 200:  # noqa: PLR2004 - HTTP's OK
        return {}
    return msgspec.json.decode(text, type=_Readiness).failed or {"readiness": "not ready"}


async def _get(
    session: aiohttp.ClientSession, target: Target, path: str, *, also: Sequence[int] = ()
) -> tuple[int, str]:
    url = URL(f"http://{target.where}{path}")
    async with session.get(url, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as answer:
        if answer.status not in (200, *also):
            raise ValueError(f"{path.partition('?')[0]} answers {answer.status}")
        content = bytearray()
        async for chunk in answer.content.iter_any():
            content += chunk
            if len(content) > _BYTES_MAX:
                raise ValueError(f"{path.partition('?')[0]} answers more than {_BYTES_MAX:,} bytes")
        return answer.status, content.decode(errors="replace")


def _words(error: Exception) -> str:
    reason = getattr(error, "os_error", error)
    if isinstance(reason, ConnectionRefusedError):
        return "nobody listens there"
    text = getattr(reason, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:_SHOWN_CHARS]
