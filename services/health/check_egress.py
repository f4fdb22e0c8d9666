"""The sweep over proxies: is each up, and if one comes up, what it held goes on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

import structlog

from services.health.probe_egress import EgressDownError, probe_egress
from shared.accounts import PUBLISHABLE, open_egress
from shared.database import Connection, Pool, Row
from shared.outbox import Event, record_events
from shared.publications import release_held
from shared.security import TokenCipher, TokenUnreadableError

log = structlog.get_logger()
_BATCH = 50
_DEADLINE_S = 10.0
_RELEASE_BATCH = 100

# A look takes less time than until then; where its process dies, another takes it over.
_TAKE = """
    UPDATE proxies SET next_check_at = now() + interval '1 minute'
    WHERE id IN (
        SELECT id FROM proxies
        WHERE next_check_at <= now()
        ORDER BY next_check_at
        LIMIT $1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id AS proxy_id, user_id, scheme AS proxy_scheme, host AS proxy_host, port AS proxy_port,
              key_id AS proxy_key_id, sealed AS proxy_sealed, updated_at
"""
_LOCK = "SELECT state FROM proxies WHERE user_id = $1 AND id = $2 AND updated_at = $3 FOR NO KEY UPDATE"
_UP = """
    UPDATE proxies
    SET state = 'up', state_reason = NULL, failures = 0, latency_ms = $3, checked_at = now(),
        next_check_at = now() + interval '1 minute'
    WHERE user_id = $1 AND id = $2
    RETURNING state, state_reason, latency_ms
"""
# The second failure in a row makes it down. Then it is asked ever more rarely: after 10, 20, 40 s, at most 5 min.
_FAILED = """
    UPDATE proxies
    SET state = CASE WHEN failures >= 1 THEN 'down' ELSE state END, state_reason = $3, failures = failures + 1,
        latency_ms = NULL, checked_at = now(),
        next_check_at = now() + least(10 * 2 ^ least(failures, 5), 300) * interval '1 second'
    WHERE user_id = $1 AND id = $2
    RETURNING state, state_reason, latency_ms
"""
# Whatever it was held for first: what else could have released it was refused while the proxy was down.
_HELD_UP = """
    SELECT accounts.id
    FROM accounts
    WHERE accounts.user_id = $1 AND accounts.proxy_id = $2 AND accounts.id > $3 AND accounts.state = ANY($5::text[])
      AND EXISTS (
          SELECT 1 FROM publications
          WHERE publications.user_id = accounts.user_id AND publications.account_id = accounts.id
            AND publications.state = 'held'
      )
    ORDER BY accounts.id
    LIMIT $4
"""
_BEFORE_ALL = UUID(int=0)
_FIT = [state.value for state in sorted(PUBLISHABLE)]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a sweep needs, built once in service.py."""

    pool: Pool
    cipher: TokenCipher
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
        latency_ms, problem = await _probe(inspection, row), None
    except EgressDownError as error:
        latency_ms, problem = None, str(error)
    except TokenUnreadableError as error:
        # The operator's key ring is at fault: nothing can be said of the proxy.
        log.error("proxy.unreadable", proxy_id=str(row["proxy_id"]), error=str(error))
        return
    async with inspection.pool.acquire() as connection, connection.transaction():
        await _write(connection, row, latency_ms=latency_ms, problem=problem)
    if problem is None:
        # At every look, not only at the first: what a process that died left behind is found as well.
        await _release(inspection, user_id=row["user_id"], proxy_id=row["proxy_id"])


async def _probe(inspection: Inspection, row: Row) -> int:
    try:
        egress = open_egress(row, inspection.cipher, user_id=row["user_id"])
    except ValueError as error:
        raise EgressDownError(f"The proxy cannot be used as it is written down: {error}.") from error
    return await probe_egress(egress, graph_url=inspection.graph_url, deadline_s=_DEADLINE_S)


async def _write(tx: Connection, row: Row, *, latency_ms: int | None, problem: str | None) -> None:
    """Write what was found, and an event if the proxy came up or went down; nothing if it was changed meanwhile."""
    user_id, proxy_id = row["user_id"], row["proxy_id"]
    before = await tx.fetchval(_LOCK, user_id, proxy_id, row["updated_at"])
    if before is None:
        return
    if problem is None:
        now = await tx.fetchrow(_UP, user_id, proxy_id, latency_ms)
    else:
        now = await tx.fetchrow(_FAILED, user_id, proxy_id, problem)
    if now is None or now["state"] == before:
        return
    log.warning("proxy.changed", proxy_id=str(proxy_id), state=now["state"], reason=now["state_reason"])
    payload = {"state": now["state"], "reason": now["state_reason"], "latency_ms": now["latency_ms"]}
    await record_events(tx, [Event(user_id=user_id, type=f"proxy.{now['state']}", subject=proxy_id, payload=payload)])


async def _release(inspection: Inspection, *, user_id: UUID, proxy_id: UUID) -> None:
    """Let go what a proxy held, account by account: each takes its account's lock for itself."""
    after, released = _BEFORE_ALL, 0
    while accounts := await inspection.pool.fetch(_HELD_UP, user_id, proxy_id, after, _RELEASE_BATCH, _FIT):
        for account in accounts:
            after = account["id"]
            async with inspection.pool.acquire() as connection, connection.transaction():
                released += await release_held(
                    connection, user_id=user_id, account_id=after, rescue_after_s=inspection.rescue_after_s
                )
    if released:
        log.info("proxy.released", proxy_id=str(proxy_id), publications=released)
