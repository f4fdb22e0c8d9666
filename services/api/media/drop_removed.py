"""Dropping the bytes of media that were removed: at once, and again later where that failed or a process ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import structlog
from aiohttp import web

from services.api.connections import connect
from services.api.deps import DEPS, Deps
from services.api.media import store
from shared.errors import NotReadyError

log = structlog.get_logger()
_EVERY_S = 600.0
_BATCH = 50


async def drop_removed(deps: Deps, keys: dict[UUID, str]) -> int:
    """Drop the bytes of removed media, by id; returns how many are gone. What is left is found by `drop_left`."""
    dropped = await asyncio.gather(*(deps.media_store.drop(key) for key in keys.values()))
    gone = [media_id for media_id, is_gone in zip(keys, dropped, strict=True) if is_gone]
    async with connect(deps.pool) as connection:
        await store.note_dropped(connection, gone)
    return len(gone)


async def drop_left(deps: Deps) -> int:
    """Drop what is left of removed media, the oldest first and a batch at most; returns how many are gone."""
    async with connect(deps.pool) as connection:
        rows = await store.to_drop(connection, limit=_BATCH)
    return await drop_removed(deps, {row["id"]: row["key"] for row in rows}) if rows else 0


async def keep_dropping(app: web.Application) -> AsyncIterator[None]:
    """As long as the application runs: look every ten minutes for what is left. For `cleanup_ctx`."""
    task = asyncio.create_task(_run(app[DEPS]), name="media.drop_left")
    yield
    task.cancel()
    await asyncio.wait([task])


async def _run(deps: Deps) -> None:
    while True:
        try:
            while await drop_left(deps) == _BATCH:
                continue
        except NotReadyError as error:
            log.warning("media.not_dropped", error=str(error))
        except Exception:
            log.exception("media.not_dropped")
        await asyncio.sleep(_EVERY_S)
