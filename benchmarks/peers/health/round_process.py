"""A health process that makes one round over all accounts and tells what its processor had to do.

`python -m benchmarks.peers.health.round_process '{"database": ..., "redis": ..., "platform": ..., "slots": ...}'`
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import uvloop

from benchmarks.peers.health.platform import TOKEN_PREFIX
from services.health.check_accounts import check_due_once
from services.health.surgery import Surgery
from services.health.usage_watch import UsageWatch
from shared.cache import open_cache
from shared.database import create_pool
from shared.instagram import GraphAccount, GraphClient, open_gate, open_graph_session
from shared.logs import configure_logs
from shared.security import TokenCipher

#: What the tokens of the round's accounts are encrypted with.
CIPHER = TokenCipher({"bench": b"b" * 32})

_DEADLINE_S = 30.0
_COME_DUE = """
    UPDATE health_checks
    SET next_check_at = now(), ask_at = now() + $1::float8 * interval '1 second'
    WHERE user_id = md5('bench round')::uuid
"""
_AGE = "UPDATE health_scores SET computed_at = computed_at - interval '1 hour' WHERE user_id = md5('bench round')::uuid"
_OTHERS_WAIT = """
    UPDATE health_checks SET next_check_at = now() + interval '1 day' WHERE user_id <> md5('bench round')::uuid
"""
_LEFT = """
    SELECT count(*)
    FROM health_checks
    WHERE user_id = md5('bench round')::uuid AND (finding IS DISTINCT FROM 'ok' OR next_check_at <= now())
"""
_IDS = "SELECT instagram_user_id FROM accounts WHERE user_id = md5('bench round')::uuid"


async def _measure(order: dict[str, Any]) -> dict[str, float]:
    """Processor seconds of a first round, of one that asks, of its calls alone, and of one that only judges."""
    async with AsyncExitStack() as stack:
        surgery = await _open(stack, order)
        await surgery.pool.execute(_OTHERS_WAIT)
        await _round(surgery, ask_in_s=0.0)
        began_at = time.monotonic()
        figures = {"cpu_round": await _cpu_s(lambda: _round(surgery, ask_in_s=0.0))}
        figures["wall_round"] = time.monotonic() - began_at
        figures["cpu_judging"] = await _cpu_s(lambda: _round(surgery, ask_in_s=86_400.0))
        accounts = [_account(row["instagram_user_id"]) for row in await surgery.pool.fetch(_IDS)]
        figures["cpu_calls"] = await _cpu_s(lambda: _calls(surgery, accounts))
        figures["left"] = await surgery.pool.fetchval(_LEFT)
    return figures


async def _open(stack: AsyncExitStack, order: dict[str, Any]) -> Surgery:
    pool = await stack.enter_async_context(await create_pool(order["database"], application_name="bench"))
    cache = await stack.enter_async_context(open_cache(order["redis"]))
    gate = await stack.enter_async_context(open_gate(order["redis"]))
    session = await stack.enter_async_context(open_graph_session(connections=order["slots"]))
    usage = UsageWatch(gate)
    graph = GraphClient(
        session,
        base_url=order["platform"],
        version="v25.0",
        deadline_s=_DEADLINE_S,
        publish_deadline_s=_DEADLINE_S,
        watch=usage,
    )
    return Surgery(
        pool=pool,
        cache=cache,
        rescue_after_s=60.0,
        graph=graph,
        gate=gate,
        usage=usage,
        cipher=CIPHER,
        slots=order["slots"],
        check_every_s=21_600.0,
    )


async def _cpu_s(work: Callable[[], Awaitable[None]]) -> float:
    began = time.process_time()
    await work()
    return time.process_time() - began


async def _round(surgery: Surgery, *, ask_in_s: float) -> None:
    await surgery.pool.execute(_AGE)
    await surgery.pool.execute(_COME_DUE, ask_in_s)
    while await check_due_once(surgery) is not None:
        pass


async def _calls(surgery: Surgery, accounts: list[GraphAccount]) -> None:
    waiting = iter(accounts)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(surgery.slots):
            tasks.create_task(_call_in_turn(surgery, waiting))


async def _call_in_turn(surgery: Surgery, waiting: Iterator[GraphAccount]) -> None:
    for account in waiting:
        await surgery.graph.profile(account)
        await surgery.graph.publishing_limit(account)


def _account(ig_user_id: str) -> GraphAccount:
    return GraphAccount(ig_user_id=ig_user_id, access_token=f"{TOKEN_PREFIX}{ig_user_id}")


if __name__ == "__main__":
    configure_logs(service="bench", level="error", log_format="console")
    print(json.dumps(uvloop.run(_measure(json.loads(sys.argv[1])))), flush=True)
