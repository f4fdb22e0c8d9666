"""`instadistro users erase`: a user's keys, work, media and rows, in this order. Cut off, it goes on when repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog

from deploy.erase.find_user import User
from deploy.erase.stop_user import stop_user, wait_for_workers
from deploy.erase.tables import STORES, Store
from services.api.media.media_store import MediaStore, open_media_store
from shared.cache import open_cache
from shared.database import Connection, Pool, run_in_transaction
from shared.errors import NotReadyError
from shared.jobs.dead import Progress
from shared.settings import Settings

log = structlog.get_logger()
_BATCH = 500

_MEDIA = "SELECT id, key FROM media WHERE user_id = $1 AND dropped_at IS NULL ORDER BY id LIMIT $2"
_NOTE_DROPPED = """
    UPDATE media SET removed_at = coalesce(removed_at, now()), dropped_at = now() WHERE id = ANY($1::uuid[])
"""
# Messages and traces of jobs about rows that are gone. Each is found by what it is about, or by the user it names.
_FORGET_MESSAGES = "DELETE FROM outbox WHERE subject = ANY($1::text[])"
_FORGET_DEAD = "DELETE FROM dead_jobs WHERE subject = ANY($1::text[])"
_FORGET_STARTS = "DELETE FROM job_starts WHERE subject = ANY($1::text[])"
_FORGET_USERS_MESSAGES = "DELETE FROM outbox WHERE payload ->> 'user_id' = $1::text OR subject = $1::text"
_FORGET_USERS_DEAD = "DELETE FROM dead_jobs WHERE position($1::text::bytea IN payload) > 0 OR subject = $1::text"
_FORGET_USERS_STARTS = "DELETE FROM job_starts WHERE subject = $1::text"
_LEAVE_INCIDENTS = "UPDATE incidents SET user_ids = array_remove(user_ids, $1) WHERE $1 = ANY(user_ids)"
# What a worker told while all else went; nothing but these two outlives its user.
_FORGET_EVENTS = "DELETE FROM events WHERE user_id = $1"
_FORGET_ARCHIVE = "DELETE FROM publications_archive WHERE user_id = $1"
# Whoever adds something of theirs is waited for, and fails from then on.
_LOCK_USER = "SELECT FROM users WHERE id = $1 FOR UPDATE"
_DELETE_KEYS = "DELETE FROM api_keys WHERE user_id = $1"
_DELETE_USER = "DELETE FROM users WHERE id = $1"


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What went."""

    rows: int  # those of the listed tables; what hangs on them went as well
    media: int  # files


async def erase_user(pool: Pool, settings: Settings, user: User, *, progress: Progress) -> Erased:
    """Erase a user. The services may run meanwhile.

    Args:
        pool: the database.
        settings: where media and cache are.
        user: whom.
        progress: told of rows that went.

    Raises:
        NotReadyError: workers are still at a publication, a request added media meanwhile, or the media storage fails.
            Call again: it goes on.
    """
    await stop_user(pool, user.id)
    deadline_s = settings.publish_deadline_s + settings.lease_s
    await wait_for_workers(pool, user.id, deadline_s=deadline_s)
    media = await _drop_media(pool, await asyncio.to_thread(open_media_store, settings.media_store), user.id)
    rows = 0
    for store in STORES:
        rows += await _empty(pool, store, user.id, progress)
    await run_in_transaction(pool, partial(_end, user_id=user.id), idempotent=True)
    async with open_cache(settings.redis_url) as cache:
        await cache.invalidate_user(user.id)
    log.info("user.erased", user_id=str(user.id), rows=rows, media=media)
    return Erased(rows=rows, media=media)


async def _drop_media(pool: Pool, store: MediaStore, user_id: UUID) -> int:
    """The bytes, which no other row names: each upload has a key of its own."""
    count = 0
    while rows := await pool.fetch(_MEDIA, user_id, _BATCH):
        for row in rows:
            if not await store.drop(row["key"]):
                raise NotReadyError(
                    "The media storage does not let go of a file. Mend it, then give the command again."
                )
        await pool.execute(_NOTE_DROPPED, [row["id"] for row in rows])
        count += len(rows)
    return count


async def _empty(pool: Pool, store: Store, user_id: UUID, progress: Progress) -> int:
    count = 0
    while gone := await run_in_transaction(pool, partial(_take, store=store, user_id=user_id), idempotent=True):
        count += gone
        progress(gone)
    return count


async def _take(tx: Connection, *, store: Store, user_id: UUID) -> int:
    names = [row["name"] for row in await tx.fetch(store.take, user_id, _BATCH)]
    if names:
        await _forget(tx, names)
    return len(names)


async def _forget(tx: Connection, names: Sequence[str]) -> None:
    for statement in (_FORGET_MESSAGES, _FORGET_DEAD, _FORGET_STARTS):
        await tx.execute(statement, names)


async def _end(tx: Connection, *, user_id: UUID) -> None:
    await tx.execute(_LOCK_USER, user_id)
    if await tx.fetch(_MEDIA, user_id, 1):
        raise NotReadyError(
            "A request that was under way when the keys became void has added media. Give the command again: it goes "
            "on from here."
        )
    for statement in (_FORGET_USERS_MESSAGES, _FORGET_USERS_DEAD, _FORGET_USERS_STARTS):
        await tx.execute(statement, str(user_id))
    for statement in (_LEAVE_INCIDENTS, _FORGET_EVENTS, _FORGET_ARCHIVE, _DELETE_KEYS, _DELETE_USER):
        await tx.execute(statement, user_id)
