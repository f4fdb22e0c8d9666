"""The one place where the scheduler is put together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from services.scheduler.ask_management import open_management
from services.scheduler.cleanup import clean_up
from services.scheduler.mark_missed import give_up_unseen_once, mark_missed_once
from services.scheduler.observe import QueueObserver, observe_outbox_once
from services.scheduler.park_dead_jobs import park_dead_jobs
from services.scheduler.probe_lanes import LaneProbes
from services.scheduler.refresh_tokens import refresh_tokens_once
from services.scheduler.relay_outbox import listen, relay_once
from services.scheduler.rescue_publications import rescue_once
from services.scheduler.run_recurring import ensure_cleanup, ensure_health_checks, fire_once
from shared.database import Pool, create_pool
from shared.jobs import CleanUp, Consumer, Handler, JobType, OnMissing, Sender, keep_session, report_stats
from shared.lifecycle import Check, repeat, serve_probes
from shared.publications import note_broker_emptied
from shared.settings import Settings

_POLL_S = 1.0
_OBSERVE_S = 5.0
_TOKENS_S = 60.0
_UNSEEN_S = 60.0
_SLOTS = 4


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Keep time until told to stop."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(settings.database_url, application_name="scheduler"))
        on_missing = partial(note_broker_emptied, pool)
        sender = Sender(settings.amqp_url, name="scheduler-relay", on_missing=on_missing)
        stack.push_async_callback(sender.close)
        consumer = Consumer(
            service="scheduler",
            urls=settings.amqp_url,
            slots=_SLOTS,
            handlers={JobType.CLEANUP_OLD_JOBS: Handler(payload=CleanUp, run=partial(clean_up, pool))},
            sender=sender,
            pool=pool,
            drain_s=settings.drain_s,
            on_missing=on_missing,
        )
        checks: dict[str, Check] = {"database": partial(pool.fetchval, "SELECT 1"), "broker": sender.ready}
        await stack.enter_async_context(
            serve_probes(host=settings.bind_host, port=settings.scheduler_internal_port, checks=checks)
        )
        await ensure_cleanup(pool, every_s=settings.cleanup_every_s)
        await ensure_health_checks(pool, every_s=settings.health_check_every_s)
        await stack.enter_async_context(report_stats(pool, service="scheduler"))
        management = open_management(settings.amqp_management_url, amqp_url=settings.amqp_url[0])
        observer = QueueObserver(
            urls=settings.amqp_url,
            probes=LaneProbes(),
            management=await stack.enter_async_context(management),
            every_s=_OBSERVE_S,
            on_missing=on_missing,
        )
        await _run(settings, stop, pool, sender, consumer, observer, on_missing)


async def _run(
    settings: Settings,
    stop: asyncio.Event,
    pool: Pool,
    sender: Sender,
    consumer: Consumer,
    observer: QueueObserver,
    on_missing: OnMissing,
) -> None:
    wake = asyncio.Event()
    relay = partial(relay_once, pool, sender, batch=settings.relay_batch)
    rescue = partial(rescue_once, pool, rescue_after_s=settings.rescue_after_s)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen(settings.database_url, wake=wake, stop=stop))
        tasks.create_task(repeat(relay, name="relay", every_s=_POLL_S, stop=stop, wake=wake))
        tasks.create_task(repeat(partial(fire_once, pool), name="recurring", every_s=_POLL_S, stop=stop))
        tasks.create_task(repeat(rescue, name="rescue", every_s=settings.rescue_sweep_s, stop=stop))
        tasks.create_task(
            repeat(partial(mark_missed_once, pool), name="missed", every_s=settings.rescue_sweep_s, stop=stop)
        )
        tasks.create_task(repeat(partial(give_up_unseen_once, pool), name="unseen", every_s=_UNSEEN_S, stop=stop))
        tasks.create_task(repeat(partial(refresh_tokens_once, pool), name="tokens", every_s=_TOKENS_S, stop=stop))
        tasks.create_task(repeat(partial(observe_outbox_once, pool), name="observe", every_s=_OBSERVE_S, stop=stop))
        observe = partial(observer.observe, stop=stop)
        tasks.create_task(keep_session(settings.amqp_url, name="scheduler-observer", stop=stop, use=observe))
        park = partial(park_dead_jobs, pool=pool, stop=stop, on_missing=on_missing)
        tasks.create_task(keep_session(settings.amqp_url, name="scheduler-dead", stop=stop, use=park))
        tasks.create_task(consumer.run(stop))
