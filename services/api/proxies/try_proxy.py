"""Trying a proxy now, as the health service does again and again."""

from __future__ import annotations

from uuid import UUID

from services.api.connections import begin, connect
from services.api.http import ProblemError, not_found
from services.api.proxies import store
from services.api.proxies.contract import ProxyStatus, ProxyTest
from shared.accounts import EgressFinding, find_held_up, look_at_egress
from shared.database import Pool, Row
from shared.publications import release_held
from shared.security import TokenCipher, TokenUnreadableError

# The rest is let go by the health service, at its next look within a minute.
_ACCOUNTS_MAX = 100


async def try_proxy(row: Row, cipher: TokenCipher, *, graph_url: str) -> EgressFinding:
    """Look whether calls get through a proxy to the platform, for 10 s at most.

    Raises:
        ProblemError: `state_conflict`: its credentials cannot be read.
    """
    try:
        return await look_at_egress(row, cipher, graph_url=graph_url)
    except TokenUnreadableError as error:
        detail = "Its credentials cannot be read: their encryption key has left TOKEN_KEYS. Set them again."
        raise ProblemError("state_conflict", detail) from error


async def find_egress(pool: Pool, proxy_id: UUID, *, user_id: UUID) -> Row:
    """A proxy as it can be tried. Raises `not_found`."""
    async with connect(pool) as connection:
        row = await store.find_egress(connection, proxy_id, user_id=user_id)
    if row is None:
        raise not_found("proxy")
    return row


async def release_accounts(pool: Pool, proxy_id: UUID, *, user_id: UUID, rescue_after_s: float) -> None:
    """Let go what a proxy that is up held, for up to a hundred accounts, each under its own lock."""
    async with connect(pool) as connection:
        held_up = await find_held_up(connection, user_id=user_id, proxy_id=proxy_id, limit=_ACCOUNTS_MAX)
    for account_id in held_up:
        async with begin(pool) as tx:
            await release_held(tx, user_id=user_id, account_id=account_id, rescue_after_s=rescue_after_s)


def present_finding(finding: EgressFinding) -> ProxyTest:
    """What a look found, as clients see it."""
    status = ProxyStatus.UP if finding.problem is None else ProxyStatus.DOWN
    return ProxyTest(status=status, latency_ms=finding.latency_ms, reason=finding.problem)
