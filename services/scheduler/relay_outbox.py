"""The relay: sends outbox rows when they are due, woken by NOTIFY, by the next due time, and every second anyway."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog

from shared import metrics
from shared.database import Pool
from shared.jobs import Sender, until_any
from shared.outbox import CHANNEL, drain_once, sift_once

log = structlog.get_logger()
_CONNECT_TIMEOUT_S = 5.0
_RELISTEN_S = 1.0
_BREATH_S = 0.02
_SIFTED = 100
_SIFTED_WITHIN_S = 10.0
_PUT_OFF_S = 60.0


async def relay_once(pool: Pool, sender: Sender, *, batch: int) -> float | None:
    """One sweep.

    Returns:
        Seconds to wait before the next: 0 after a full batch, the time to the next due row, None for the usual poll.
    """
    if not await sender.reachable():
        return None  # found out before any row is locked
    drained = await drain_once(pool, sender.send_rows, batch=batch)
    metrics.relay_sent_total.inc(drained.sent)
    metrics.relay_refused_total.inc(drained.refused)
    if drained.refused:
        await _sift(pool, sender, limit=drained.refused)
        return None
    if drained.sent == batch:
        return 0.0
    # Due and yet not taken: another relay has it, or it came due a moment ago.
    return None if drained.next_due_s is None else max(drained.next_due_s, _BREATH_S)


async def _sift(pool: Pool, sender: Sender, *, limit: int) -> None:
    """Rows were refused. If that was no outage, one of them is to blame, and must not stop the others for ever."""
    # One more than were refused: if all of those are to blame, the next one shows that the broker is not.
    limit = min(limit, _SIFTED) + 1
    put_off = await sift_once(pool, sender.send_rows, limit=limit, within_s=_SIFTED_WITHIN_S, put_off_s=_PUT_OFF_S)
    if put_off:
        log.error("relay.put_off", rows=put_off, for_s=_PUT_OFF_S)


async def listen(database_url: str, *, wake: asyncio.Event, stop: asyncio.Event) -> None:
    """Set `wake` at each NOTIFY. A connection of its own, made anew when lost; without it the poll still serves."""
    while not stop.is_set():
        with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            async with _listening(database_url, lambda *_: wake.set()) as lost:
                await until_any(stop, lost)
        if not stop.is_set():
            log.warning("relay.not_listening", retry_in_s=_RELISTEN_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _RELISTEN_S)


@asynccontextmanager
async def _listening(database_url: str, notify: Callable[..., Any]) -> AsyncIterator[asyncio.Event]:
    connection = await asyncpg.connect(
        database_url,
        timeout=_CONNECT_TIMEOUT_S,
        server_settings={"application_name": "instadistro-relay-listen"},
    )
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    try:
        await connection.add_listener(CHANNEL, notify)
        yield lost
    finally:
        connection.terminate()
