"""The one place where the publisher is put together."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from contextlib import AsyncExitStack
from functools import partial

from services.publisher.check_media import check_media, plan_on
from services.publisher.end_parked import end_parked
from services.publisher.late_probe import probe_late_once
from services.publisher.leases import Leases
from services.publisher.publish import publish
from services.publisher.workbench import Workbench
from shared.cache import open_cache
from shared.database import create_pool
from shared.instagram import open_gate, open_graph_client
from shared.jobs import CheckMedia, Consumer, Handler, JobType, PublishPublication, Sender, report_stats
from shared.lifecycle import Check, repeat, serve_probes
from shared.publications import bring_forward, note_broker_emptied
from shared.security import MediaUrls, TokenCipher, open_public_fetch
from shared.settings import Settings

# How often is looked whether an unknown outcome is due to be looked up again.
_LATE_PROBE_S = 30.0


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Publish until told to stop, then finish or hand back what runs."""
    worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(settings.database_url, application_name="publisher"))
        cache = await stack.enter_async_context(open_cache(settings.redis_url))
        on_healed = partial(bring_forward, pool, rescue_after_s=settings.rescue_after_s)
        gate = await stack.enter_async_context(open_gate(settings.redis_url, on_healed=on_healed))
        graph = await stack.enter_async_context(
            open_graph_client(settings, connections=settings.publisher_slots * 4, watch=gate)
        )
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
            gate=gate,
            cipher=TokenCipher(settings.token_keys),
            cache=cache,
            leases=leases,
            media_urls=MediaUrls(settings.public_url, secret=settings.cursor_secret),
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
                ),
                JobType.MEDIA_CHECK: Handler(
                    payload=CheckMedia,
                    run=partial(check_media, pool, open_public_fetch(settings)),
                    on_parked=partial(plan_on, pool),
                ),
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
            probe_late = partial(probe_late_once, work)
            tasks.create_task(repeat(probe_late, name="late-probe", every_s=_LATE_PROBE_S, stop=stop))
            await consumer.run(stop)
            drained.set()
