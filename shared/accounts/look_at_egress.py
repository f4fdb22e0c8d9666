"""One look at a proxy: whether calls get through it, and what is written down of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from shared.accounts.open_account import open_egress
from shared.accounts.states import PUBLISHABLE
from shared.database import Connection, Row
from shared.instagram import EgressDownError, probe_egress
from shared.outbox import Event, record_events
from shared.security import TokenCipher

log = structlog.get_logger()
_DEADLINE_S = 10.0

#: What a statement selects of `proxies`, so that its row can be looked at.
EGRESS_COLUMNS = """
    id AS proxy_id, user_id, scheme AS proxy_scheme, host AS proxy_host, port AS proxy_port, key_id AS proxy_key_id,
    sealed AS proxy_sealed, updated_at
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
# Whatever it was held for first: what else could have released it was refused while the proxy was down. What its
# health holds is not looked at each time: what releases that asks for the proxy too.
_HELD_UP = """
    SELECT accounts.id
    FROM accounts
    WHERE accounts.user_id = $1 AND accounts.proxy_id = $2 AND accounts.id > $3 AND accounts.state = ANY($5::text[])
      AND EXISTS (
          SELECT 1 FROM publications
          WHERE publications.user_id = accounts.user_id AND publications.account_id = accounts.id
            AND publications.state = 'held'
            AND (accounts.caution <> 'held' OR accounts.caution_waived_until > now()
                 OR publications.step = 'publish_sent')
      )
    ORDER BY accounts.id
    LIMIT $4
"""
_BEFORE_ALL = UUID(int=0)
_FIT = [state.value for state in sorted(PUBLISHABLE)]


@dataclass(frozen=True, kw_only=True)
class EgressFinding:
    """What a look found."""

    latency_ms: int | None  # None: calls do not get through
    problem: str | None  # why not, for people


async def look_at_egress(row: Row, cipher: TokenCipher, *, graph_url: str) -> EgressFinding:
    """Try the way through a proxy to the platform, for 10 s at most. Nothing is written yet.

    Args:
        row: of `proxies`, with `EGRESS_COLUMNS`.
        cipher: opens its credentials.
        graph_url: where the way must lead.

    Raises:
        TokenUnreadableError: the key ring does not open the credentials. Nothing can be said of the proxy.
    """
    try:
        egress = open_egress(row, cipher, user_id=row["user_id"])
    except ValueError as error:
        return EgressFinding(latency_ms=None, problem=f"The proxy cannot be used as it is written down: {error}.")
    try:
        latency_ms = await probe_egress(egress, graph_url=graph_url, deadline_s=_DEADLINE_S)
    except EgressDownError as error:
        return EgressFinding(latency_ms=None, problem=str(error))
    return EgressFinding(latency_ms=latency_ms, problem=None)


async def write_egress(tx: Connection, row: Row, finding: EgressFinding) -> bool | None:
    """Write what was found, and an event if the proxy came up or went down.

    Returns:
        Whether its state is another now; None if the proxy was changed since `row` was read: nothing was written.
    """
    user_id, proxy_id = row["user_id"], row["proxy_id"]
    before = await tx.fetchval(_LOCK, user_id, proxy_id, row["updated_at"])
    if before is None:
        return None
    if finding.problem is None:
        now = await tx.fetchrow(_UP, user_id, proxy_id, finding.latency_ms)
    else:
        now = await tx.fetchrow(_FAILED, user_id, proxy_id, finding.problem)
    if now is None or now["state"] == before:
        return False
    log.warning("proxy.changed", proxy_id=str(proxy_id), state=now["state"], reason=now["state_reason"])
    payload = {"state": now["state"], "reason": now["state_reason"], "latency_ms": now["latency_ms"]}
    await record_events(tx, [Event(user_id=user_id, type=f"proxy.{now['state']}", subject=proxy_id, payload=payload)])
    return True


async def find_held_up(
    connection: Connection, *, user_id: UUID, proxy_id: UUID, limit: int, after: UUID = _BEFORE_ALL
) -> Sequence[UUID]:
    """Accounts of a proxy that could publish and have publications held, by id.

    A proxy that is up holds none of them: release them, account by account, each under its own lock.

    Args:
        connection: any.
        user_id: the tenant.
        proxy_id: the proxy.
        limit: most accounts.
        after: the last account of the batch before.
    """
    rows = await connection.fetch(_HELD_UP, user_id, proxy_id, after, limit, _FIT)
    return [row["id"] for row in rows]
