"""The one place where the scheduler is put together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from redis.asyncio import Redis

from services.scheduler.ask_management import open_management
from services.scheduler.call_receiver import open_receivers
from services.scheduler.cleanup import run_cleanup
from services.scheduler.deliver_webhook import CALLS, Courier, deliver_webhook, end_parked_delivery
from services.scheduler.fan_out_events import bring_back_positions, fan_out_once
from services.scheduler.few_at_once import few_at_once
from services.scheduler.import_accounts import Importer, end_parked_import, import_accounts
from services.scheduler.make_occurrences import make_occurrences_once
from services.scheduler.mark_missed import give_up_unseen_once, mark_missed_once
from services.scheduler.monitor_swarms import SWEEP_S, monitor_swarms_once
from services.scheduler.observe import QueueObserver, observe_outbox_once
from services.scheduler.observe_accounts import observe_accounts_once, observe_quota_once
from services.scheduler.observe_invariants import InvariantObserver
from services.scheduler.observe_publications import observe_publications_once
from services.scheduler.observe_servers import RedisObserver, observe_database_once, observe_database_size_once
from services.scheduler.park_dead_jobs import park_dead_jobs
from services.scheduler.plan_analytics import EVERY_S, plan_analytics_once
from services.scheduler.probe_lanes import LaneProbes
from services.scheduler.process_schedule import end_parked_occurrence, process_occurrence
from services.scheduler.refresh_tokens import refresh_tokens_once
from services.scheduler.relay_outbox import listen, relay_once
from services.scheduler.rescue_deliveries import rescue_deliveries_once
from services.scheduler.rescue_occurrences import rescue_occurrences_once
from services.scheduler.rescue_publications import rescue_once
from services.scheduler.resume_operations import resume_operations_once
from services.scheduler.run_recurring import ensure_cleanup, fire_once
from shared.cache import connect_redis, open_cache
from shared.cleanup import choose_policies
from shared.database import Pool, create_pool
from shared.jobs import (
    CleanUp,
    Consumer,
    DeliverWebhook,
    Handler,
    ImportAccounts,
    JobType,
    OnMissing,
    ProcessOccurrence,
    Sender,
    keep_session,
    report_stats,
)
from shared.lifecycle import Check, repeat, serve_probes
from shared.publications import note_broker_emptied
from shared.security import TokenCipher
from shared.settings import Settings

_POLL_S = 1.0
_OBSERVE_S = 5.0
_GAUGES_S = 15.0
_SLOW_GAUGES_S = 60.0
_SLOWEST_GAUGES_S = 300.0
_REDIS_S = 2.0
_TOKENS_S = 60.0
_OPERATIONS_S = 60.0
_UNSEEN_S = 60.0
_FAN_OUT_S = 1.0
_DELIVERY_TIMEOUT_S = 60.0
_DELIVERIES_S = 60.0
_OCCURRENCES_S = 60.0
# The database has no more cores than that for them, and the sweeps of this process share its pool.
_OCCURRENCES_AT_ONCE = 4
# However many receivers hang, some are left for other jobs.
_SLOTS = CALLS + 16


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Keep time until told to stop."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(settings.database_url, application_name="scheduler"))
        cache = await stack.enter_async_context(open_cache(settings.redis_url))
        cipher = TokenCipher(settings.token_keys)
        receivers = open_receivers(private_networks=settings.webhook_private_networks == "on")
        courier = Courier(pool=pool, cipher=cipher, receivers=await stack.enter_async_context(receivers))
        importer = Importer(
            pool=pool,
            cache=cache,
            cipher=cipher,
            rescue_after_s=settings.rescue_after_s,
        )
        policies = choose_policies(
            archive_after_days=settings.archive_after_days, archive_keep_days=settings.archive_keep_days
        )
        on_missing = partial(note_broker_emptied, pool)
        sender = Sender(settings.amqp_url, name="scheduler-relay", on_missing=on_missing)
        stack.push_async_callback(sender.close)
        consumer = Consumer(
            service="scheduler",
            urls=settings.amqp_url,
            slots=_SLOTS,
            handlers={
                JobType.CLEANUP_OLD_JOBS: Handler(payload=CleanUp, run=partial(run_cleanup, pool, policies)),
                JobType.IMPORT_ACCOUNTS: Handler(
                    payload=ImportAccounts,
                    run=partial(import_accounts, importer),
                    on_parked=partial(end_parked_import, pool),
                ),
                JobType.SCHEDULE_PROCESS: Handler(
                    payload=ProcessOccurrence,
                    run=few_at_once(
                        partial(process_occurrence, pool, rescue_after_s=settings.rescue_after_s),
                        most=_OCCURRENCES_AT_ONCE,
                    ),
                    on_parked=partial(end_parked_occurrence, pool),
                ),
                JobType.WEBHOOK_DELIVER: Handler(
                    payload=DeliverWebhook,
                    run=partial(deliver_webhook, courier),
                    timeout_s=_DELIVERY_TIMEOUT_S,
                    on_parked=partial(end_parked_delivery, pool),
                ),
            },
            sender=sender,
            pool=pool,
            drain_s=settings.drain_s,
            on_missing=on_missing,
        )
        checks: dict[str, Check] = {"database": partial(pool.fetchval, "SELECT 1"), "broker": sender.ready}
        await stack.enter_async_context(
            serve_probes(host=settings.bind_host, port=settings.scheduler_internal_port, checks=checks)
        )
        await bring_back_positions(pool)
        await ensure_cleanup(pool, every_s=settings.cleanup_every_s)
        await stack.enter_async_context(report_stats(pool, service="scheduler"))
        management = open_management(settings.amqp_management_url, amqp_url=settings.amqp_url[0])
        observer = QueueObserver(
            urls=settings.amqp_url,
            probes=LaneProbes(),
            management=await stack.enter_async_context(management),
            every_s=_OBSERVE_S,
            on_missing=on_missing,
        )
        # It is asked for its own sake, and may take longer than a cache is waited for.
        redis = await stack.enter_async_context(connect_redis(settings.redis_url, operation_s=_REDIS_S))
        async with asyncio.TaskGroup() as tasks:
            _observe(tasks, settings, stop, pool, redis)
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
        make_occurrences = partial(make_occurrences_once, pool)
        tasks.create_task(repeat(make_occurrences, name="occurrences", every_s=_POLL_S, stop=stop))
        rescue_occurrences = partial(rescue_occurrences_once, pool)
        tasks.create_task(repeat(rescue_occurrences, name="lost_occurrences", every_s=_OCCURRENCES_S, stop=stop))
        tasks.create_task(repeat(rescue, name="rescue", every_s=settings.rescue_sweep_s, stop=stop))
        tasks.create_task(
            repeat(partial(mark_missed_once, pool), name="missed", every_s=settings.rescue_sweep_s, stop=stop)
        )
        tasks.create_task(repeat(partial(give_up_unseen_once, pool), name="unseen", every_s=_UNSEEN_S, stop=stop))
        tasks.create_task(repeat(partial(refresh_tokens_once, pool), name="tokens", every_s=_TOKENS_S, stop=stop))
        if settings.analytics == "on":
            plan_analytics = partial(plan_analytics_once, pool)
            tasks.create_task(repeat(plan_analytics, name="analytics", every_s=EVERY_S, stop=stop))
        tasks.create_task(repeat(partial(monitor_swarms_once, pool), name="swarms", every_s=SWEEP_S, stop=stop))
        resume = partial(resume_operations_once, pool)
        tasks.create_task(repeat(resume, name="operations", every_s=_OPERATIONS_S, stop=stop))
        tasks.create_task(repeat(partial(fan_out_once, pool), name="fan_out", every_s=_FAN_OUT_S, stop=stop))
        rescue_deliveries = partial(rescue_deliveries_once, pool)
        tasks.create_task(repeat(rescue_deliveries, name="deliveries", every_s=_DELIVERIES_S, stop=stop))
        tasks.create_task(repeat(partial(observe_outbox_once, pool), name="observe", every_s=_OBSERVE_S, stop=stop))
        observe = partial(observer.observe, stop=stop)
        tasks.create_task(keep_session(settings.amqp_url, name="scheduler-observer", stop=stop, use=observe))
        park = partial(park_dead_jobs, pool=pool, stop=stop, on_missing=on_missing)
        tasks.create_task(keep_session(settings.amqp_url, name="scheduler-dead", stop=stop, use=park))
        tasks.create_task(consumer.run(stop))


def _observe(tasks: asyncio.TaskGroup, settings: Settings, stop: asyncio.Event, pool: Pool, redis: Redis) -> None:
    """Start the sweeps that only look."""
    invariants = InvariantObserver(pool=pool, rescue_after_s=settings.rescue_after_s)
    for name, every_s, observe in (
        ("observe_publications", _GAUGES_S, partial(observe_publications_once, pool)),
        ("observe_database", _GAUGES_S, partial(observe_database_once, pool)),
        ("observe_redis", _GAUGES_S, RedisObserver(redis).observe_once),
        ("observe_accounts", _SLOW_GAUGES_S, partial(observe_accounts_once, pool)),
        ("observe_quota", _SLOWEST_GAUGES_S, partial(observe_quota_once, pool)),
        ("observe_sizes", _SLOW_GAUGES_S, partial(observe_database_size_once, pool)),
        ("observe_invariants", _SLOW_GAUGES_S, invariants.observe_once),
    ):
        tasks.create_task(repeat(observe, name=name, every_s=every_s, stop=stop))
