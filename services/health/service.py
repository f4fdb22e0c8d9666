"""The one place where the health service is put together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from services.health.check_account import Surgery, check_account
from shared.cache import open_cache
from shared.database import create_pool
from shared.instagram import open_graph_client
from shared.jobs import CheckAccount, Consumer, Handler, JobType, Sender, report_stats
from shared.lifecycle import Check, serve_probes
from shared.publications import note_broker_emptied
from shared.security import TokenCipher
from shared.settings import Settings


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Judge accounts until told to stop."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(settings.database_url, application_name="health"))
        cache = await stack.enter_async_context(open_cache(settings.redis_url))
        graph = await stack.enter_async_context(open_graph_client(settings, connections=settings.health_slots))
        on_missing = partial(note_broker_emptied, pool)
        sender = Sender(settings.amqp_url, name="health-sender", on_missing=on_missing)
        stack.push_async_callback(sender.close)
        surgery = Surgery(pool=pool, graph=graph, cipher=TokenCipher(settings.token_keys), cache=cache)
        consumer = Consumer(
            service="health",
            urls=settings.amqp_url,
            slots=settings.health_slots,
            handlers={JobType.HEALTH_CHECK: Handler(payload=CheckAccount, run=partial(check_account, surgery))},
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
        await consumer.run(stop)
