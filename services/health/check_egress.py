"""The sweep over proxies: is each up, and if one comes up, what it held goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from shared.accounts import EGRESS_COLUMNS, find_held_up, look_at_egress, write_egress
from shared.cache import CacheService
from shared.database import Pool, Row
from shared.publications import release_held
from shared.security import TokenCipher, TokenUnreadableError

log = structlog.get_logger()
_BATCH = 50
_RELEASE_BATCH = 100

# A look takes less time than until then; where its process dies, another takes it over.
_TAKE = f"""
    UPDATE proxies SET next_check_at = now() + interval '1 minute'
    WHERE id IN (
        SELECT id FROM proxies
        WHERE next_check_at <= now()
        ORDER BY next_check_at
        LIMIT $1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING {EGRESS_COLUMNS}
"""  # noqa: S608 - built of constants alone


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a sweep needs, built once in service.py."""

    pool: Pool
    cipher: TokenCipher
    cache: CacheService
    graph_url: str  # where the way must lead
    rescue_after_s: float


async def check_egress_once(inspection: Inspection) -> float | None:
    """One sweep over the proxies whose next look is due. Returns 0 if there may be more, None for the usual rhythm."""
    rows = await inspection.pool.fetch(_TAKE, _BATCH)
    async with asyncio.TaskGroup() as tasks:
        for row in rows:
            tasks.create_task(_check(inspection, row))
    return 0.0 if len(rows) == _BATCH else None


async def _check(inspection: Inspection, row: Row) -> None:
    try:
        finding = await look_at_egress(row, inspection.cipher, graph_url=inspection.graph_url)
    except TokenUnreadableError as error:
        # The operator's key ring is at fault: nothing can be said of the proxy.
        log.error("proxy.unreadable", proxy_id=str(row["proxy_id"]), error=str(error))
        return
    async with inspection.pool.acquire() as connection, connection.transaction():
        moved = await write_egress(connection, row, finding)
    if moved:
        await inspection.cache.invalidate_user(row["user_id"])
    if finding.problem is None:
        # At every look, not only at the first: what a process that died left behind is found as well.
        await _release(inspection, user_id=row["user_id"], proxy_id=row["proxy_id"])


async def _release(inspection: Inspection, *, user_id: UUID, proxy_id: UUID) -> None:
    """Let go what a proxy held, account by account: each takes its account's lock for itself."""
    after, released = UUID(int=0), 0
    while account_ids := await _held_up(inspection.pool, user_id=user_id, proxy_id=proxy_id, after=after):
        for account_id in account_ids:
            after = account_id
            async with inspection.pool.acquire() as connection, connection.transaction():
                released += await release_held(
                    connection, user_id=user_id, account_id=account_id, rescue_after_s=inspection.rescue_after_s
                )
    if released:
        log.info("proxy.released", proxy_id=str(proxy_id), publications=released)


async def _held_up(pool: Pool, *, user_id: UUID, proxy_id: UUID, after: UUID) -> Sequence[UUID]:
    async with pool.acquire() as connection:
        return await find_held_up(connection, user_id=user_id, proxy_id=proxy_id, limit=_RELEASE_BATCH, after=after)
