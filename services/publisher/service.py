"""The one place where the publisher is put together."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from contextlib import AsyncExitStack
from functools import partial

from services.publisher.end_parked import end_parked
from services.publisher.leases import Leases
from services.publisher.publish import publish
from services.publisher.workbench import Workbench
from shared.cache import open_cache
from shared.database import create_pool
from shared.instagram import open_graph_client
from shared.jobs import Consumer, Handler, JobType, PublishPublication, Sender, report_stats
from shared.lifecycle import Check, repeat, serve_probes
from shared.publications import note_broker_emptied
from shared.security import TokenCipher
from shared.settings import Settings


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Publish until told to stop, then finish or hand back what runs."""
    worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(settings.database_url, application_name="publisher"))
        cache = await stack.enter_async_context(open_cache(settings.redis_url))
        graph = await stack.enter_async_context(open_graph_client(settings, connections=settings.publisher_slots * 2))
        on_missing = partial(note_broker_emptied, pool)
        sender = Sender(settings.amqp_url, name="publisher-sender", on_missing=on_missing)
        stack.push_async_callback(sender.close)
        lease_pool = await stack.enter_async_context(
            await create_pool(settings.database_url, application_name="publisher-leases", max_size=1)
        )
        leases = Leases(lease_pool, lease_s=settings.lease_s)
        work = Workbench(
            pool=pool,
            graph=graph,
            cipher=TokenCipher(settings.token_keys),
            cache=cache,
            leases=leases,
            public_url=settings.public_url,
            worker=worker,
            lease_s=settings.lease_s,
            poll_in_worker_s=settings.poll_in_worker_s,
            publish_deadline_s=settings.publish_deadline_s,
            rescue_after_s=settings.rescue_after_s,
        )
        consumer = Consumer(
            service="publisher",
            urls=settings.amqp_url,
            slots=settings.publisher_slots,
            handlers={
                JobType.POST_PUBLISH: Handler(
                    payload=PublishPublication, run=partial(publish, work), on_parked=partial(end_parked, work)
                )
            },
            sender=sender,
            pool=pool,
            drain_s=settings.drain_s,
            on_missing=on_missing,
        )
        checks: dict[str, Check] = {"database": partial(pool.fetchval, "SELECT 1"), "broker": consumer.ready}
        await stack.enter_async_context(
            serve_probes(host=settings.bind_host, port=settings.publisher_internal_port, checks=checks)
        )
        await stack.enter_async_context(report_stats(pool, service="publisher"))
        # Claims are renewed until the last handler has ended, not only until the stop.
        drained = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(repeat(leases.renew_once, name="leases", every_s=settings.lease_renew_s, stop=drained))
            await consumer.run(stop)
            drained.set()
