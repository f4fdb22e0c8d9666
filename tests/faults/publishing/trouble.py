"""What goes wrong during the run: the platform, the workers, the messages at the broker."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import aio_pika

from shared.jobs import JobType, PublishPublication, new_job, to_outbox
from shared.jobs.topology import work_queue
from shared.outbox import replace
from tests.faults.publishing.ground import FROZEN_S, Ground

_MANY = 1_000_000
_FREEZE_AT = "publisher.publish_committed"
_WAITING = """
    SELECT id, revision FROM publications
    WHERE state = 'scheduled' AND next_attempt_at BETWEEN now() - interval '30 s' AND now() + interval '3 s'
    ORDER BY random()
    LIMIT $1
"""


_READ, _WRITE = ("get_container", "list_media"), ("create_container", "media_publish")
_Kinds: TypeAlias = Sequence[tuple[Sequence[str], Mapping[str, Any], float]]
# Where, what, and how often beside the others.
_KINDS: _Kinds = (
    ((*_READ, *_WRITE), {"kind": "drop_before"}, 1.0),
    ((*_READ, *_WRITE), {"kind": "drop_after"}, 1.0),
    ((*_READ, *_WRITE), {"kind": "http_500"}, 1.0),
    ((*_READ, *_WRITE), {"kind": "html_502"}, 1.0),
    (_WRITE, {"kind": "timeout", "seconds": 5}, 0.3),
    (("media_publish",), {"kind": "error_but_published"}, 1.0),
    (("media_publish",), {"kind": "error_but_published", "code": 2}, 1.0),
    (("media_publish",), {"kind": "error", "code": -1, "subcode": 2207001}, 1.0),
    (("media_publish",), {"kind": "error", "code": 24, "subcode": 2207008}, 0.5),
    (("media_publish",), {"kind": "error", "code": 4, "subcode": 2207051}, 0.2),
    (("media_publish",), {"kind": "not_ready"}, 1.0),
    (("media_publish",), {"kind": "html_502_but_published"}, 1.0),
    (("create_container",), {"kind": "error", "code": 9004, "subcode": 2207052}, 0.5),
    (("create_container",), {"kind": "error", "code": 36003, "subcode": 2207009}, 0.05),
    (("create_container",), {"kind": "error", "code": 25, "subcode": 2207050}, 0.1),
    (("create_container",), {"kind": "container_error", "code": -1, "subcode": 2207053}, 1.0),
    (("create_container",), {"kind": "slow_processing", "seconds": 8}, 0.5),
    (("create_container",), {"kind": "token_revoked"}, 0.1),
    (("get_container",), {"kind": "read_glitch"}, 1.0),
)
# Rare, for each holds its account back for minutes or hours.
_LONG_WAITS: _Kinds = (
    (("media_publish",), {"kind": "error", "code": 9, "subcode": 2207042}, 0.02),
    (("create_container",), {"kind": "throttle"}, 0.03),
)


def platform_faults(seed: int, *, share: float, long_waits: bool) -> list[dict[str, Any]]:
    """Every fault kind of the emulator, each met by a share of the calls it fits."""
    kinds = (*_KINDS, *_LONG_WAITS) if long_waits else _KINDS
    return [
        {"endpoint": endpoint, **kind, "probability": share * weight, "times": _MANY, "seed": seed + number}
        for number, (endpoints, kind, weight) in enumerate(kinds)
        for endpoint in endpoints
    ]


class Trouble:
    """Runs beside the load until it is told to stop; counts what it did."""

    def __init__(self, ground: Ground, *, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.frozen: set[str] = set()
        self._ground, self._dice = ground, random.Random(seed)  # noqa: S311 - a repeatable run, no secret

    async def run(
        self, stop: asyncio.Event, *, kill_every_s: float, purge_every_s: float, freeze_every_s: float
    ) -> None:
        """All troubles, each in its rhythm."""
        async with asyncio.TaskGroup() as tasks:
            for every_s, act in (
                (kill_every_s, self._kill),
                (purge_every_s, self._lose_messages),
                (kill_every_s, self._double_messages),
                (freeze_every_s, self._freeze),
            ):
                tasks.create_task(_in_rhythm(act, every_s=every_s, stop=stop))

    async def _kill(self) -> None:
        self._ground.kill_publisher(self._dice.randrange(100))
        self.done["publishers killed"] += 1

    async def _lose_messages(self) -> None:
        url = self._ground.system.environment["AMQP_URL"]
        connection = await aio_pika.connect(url, timeout=10)
        async with connection:
            channel = await connection.channel()
            queue = await channel.get_queue(work_queue("publisher"), ensure=False)
            lost = await queue.purge(timeout=10)
        self.done["messages lost"] += lost.message_count or 0

    async def _double_messages(self) -> None:
        """A second message for what is under way: due now, beside the one that is at the broker or in the outbox."""
        async with self._ground.database.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_WAITING, 20)
            messages = [
                to_outbox(
                    new_job(
                        JobType.POST_PUBLISH,
                        PublishPublication(publication_id=row["id"], revision=row["revision"]),
                        subject=str(row["id"]),
                    ),
                    due_at=None,
                )
                for row in rows
            ]
            await replace(connection, messages)
        self.done["messages doubled"] += len(messages)

    async def _freeze(self) -> None:
        """One publisher stops between the mark of the publish call and the call, until all have given it up."""
        row = await self._ground.database.fetchrow(_WAITING, 1)
        if row is None:
            return
        self._ground.arm_freeze(_FREEZE_AT, subject=str(row["id"]))
        frozen: list[int] = []
        for _ in range(100):
            if frozen := self._ground.frozen_pids():
                break
            await asyncio.sleep(0.05)
        if frozen:
            self.frozen.add(str(row["id"]))
            self.done["publishers frozen before the call"] += 1
            await asyncio.sleep(FROZEN_S)
        for pid in frozen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def _in_rhythm(act: Callable[[], Awaitable[None]], *, every_s: float, stop: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)
            return
        await act()
