"""RabbitMQ's management API, where there is one: it knows how many messages of each priority wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import quote, unquote, urlsplit

import aiohttp
import msgspec
import structlog
from yarl import URL

from shared.jobs import JobPriority
from shared.jobs.topology import WORK_QUEUES

_ASK_DEADLINE_S = 3.0
_MOST_BYTES = 1 << 20

log = structlog.get_logger()


class _Status(msgspec.Struct):
    priority_lengths: dict[str, int] | None = None  # by the priority on the wire


class _Queue(msgspec.Struct):
    backing_queue_status: _Status | None = None


class Management:
    """RabbitMQ's management API, the one place that tells a queue's messages by priority."""

    def __init__(self, http: aiohttp.ClientSession, *, base: str, vhost: str) -> None:
        """Keep the address.

        Args:
            http: sends the credentials with every request.
            base: where the API is, without `/api`.
            vhost: where our queues are.
        """
        self._http = http
        self._queues = f"{base}/api/queues/{quote(vhost, safe='')}"
        self._complained = False

    async def count_by_priority(self) -> dict[str, dict[JobPriority, int]]:
        """Messages that wait in each work queue, by priority; up to 5 s old.

        A queue of which the broker does not tell is left out. So are all while the API cannot be asked, which is said
        in the log once and raises nothing.
        """
        try:
            async with asyncio.timeout(_ASK_DEADLINE_S):
                lengths = {queue.name: await self._ask(queue.name) for queue in WORK_QUEUES}
        except (aiohttp.ClientError, OSError, TimeoutError, msgspec.MsgspecError) as error:
            if not self._complained:
                reason = str(error) or type(error).__name__
                log.warning("management.no_answer", error=f"{reason}. Check AMQP_MANAGEMENT_URL.")
            self._complained = True
            return {}
        self._complained = False
        return {queue: _by_priority(found) for queue, found in lengths.items() if found is not None}

    async def _ask(self, queue: str) -> Mapping[str, int] | None:
        # With a column that every queue has: an answer without any is an empty list.
        url = URL(f"{self._queues}/{quote(queue, safe='')}?columns=name,backing_queue_status", encoded=True)
        async with self._http.get(url, allow_redirects=False) as response:
            if response.status == HTTPStatus.NOT_FOUND:
                return None
            response.raise_for_status()
            body = bytearray()
            async for chunk in response.content.iter_chunked(_MOST_BYTES):
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise aiohttp.ClientPayloadError(f"more than {_MOST_BYTES} bytes about one queue")
        status = msgspec.json.decode(body, type=_Queue).backing_queue_status
        return None if status is None else status.priority_lengths


@asynccontextmanager
async def open_management(url: str | None, *, amqp_url: str) -> AsyncIterator[Management | None]:
    """The management API at this address; None if there is none.

    Args:
        url: with the credentials, `http://USER:PASSWORD@HOST:15672`.
        amqp_url: names the virtual host.
    """
    if url is None:
        yield None
        return
    parts = urlsplit(url)
    # Out of the URL, which errors quote, and into a header, which they do not.
    credentials = aiohttp.encode_basic_auth(unquote(parts.username or ""), unquote(parts.password or ""))
    base = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    vhost = unquote(urlsplit(amqp_url).path.removeprefix("/")) or "/"
    async with aiohttp.ClientSession(
        headers={"Authorization": credentials}, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as http:
        yield Management(http, base=base, vhost=vhost)


def _by_priority(lengths: Mapping[str, int]) -> dict[JobPriority, int]:
    counted = {priority: lengths.get(str(priority.amqp), 0) for priority in JobPriority}
    counted[JobPriority.VERY_LOW] += lengths.get("0", 0)  # without a priority: behind all others
    return counted
