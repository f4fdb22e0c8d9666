"""The one place where the health service is put together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from services.health.check_account import Surgery, check_account
from services.health.check_egress import Inspection, check_egress_once
from services.health.refresh_token import refresh_token
from shared.cache import open_cache
from shared.database import create_pool
from shared.instagram import open_gate, open_graph_client
from shared.jobs import CheckAccount, Consumer, Handler, JobType, RefreshToken, Sender, report_stats
from shared.lifecycle import Check, repeat, serve_probes
from shared.publications import note_broker_emptied
from shared.security import TokenCipher
from shared.settings import Settings

_EGRESS_S = 5.0


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Judge accounts until told to stop."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(settings.database_url, application_name="health"))
        cache = await stack.enter_async_context(open_cache(settings.redis_url))
        gate = await stack.enter_async_context(open_gate(settings.redis_url))
        graph = await stack.enter_async_context(
            open_graph_client(settings, connections=settings.health_slots, watch=gate)
        )
        on_missing = partial(note_broker_emptied, pool)
        sender = Sender(settings.amqp_url, name="health-sender", on_missing=on_missing)
        stack.push_async_callback(sender.close)
        cipher = TokenCipher(settings.token_keys)
        surgery = Surgery(pool=pool, graph=graph, gate=gate, cipher=cipher, cache=cache)
        inspection = Inspection(
            pool=pool,
            cipher=cipher,
            cache=cache,
            graph_url=settings.instagram_graph_url,
            rescue_after_s=settings.rescue_after_s,
        )
        consumer = Consumer(
            service="health",
            urls=settings.amqp_url,
            slots=settings.health_slots,
            handlers={
                JobType.HEALTH_CHECK: Handler(payload=CheckAccount, run=partial(check_account, surgery)),
                JobType.TOKEN_REFRESH: Handler(payload=RefreshToken, run=partial(refresh_token, surgery)),
            },
            sender=sender,
            pool=pool,
            drain_s=settings.drain_s,
            on_missing=on_missing,
        )
        checks: dict[str, Check] = {"database": partial(pool.fetchval, "SELECT 1"), "broker": consumer.ready}
        await stack.enter_async_context(
            serve_probes(host=settings.bind_host, port=settings.health_internal_port, checks=checks)
        )
        await stack.enter_async_context(report_stats(pool, service="health"))
        check_egress = partial(check_egress_once, inspection)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(repeat(check_egress, name="egress", every_s=_EGRESS_S, stop=stop))
            tasks.create_task(consumer.run(stop))
