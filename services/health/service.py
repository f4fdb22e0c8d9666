"""The one place where the health service is put together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from services.health.check_account import check_account
from services.health.check_accounts import check_due_once
from services.health.check_egress import Inspection, check_egress_once
from services.health.collect_analytics import Collection, collect_analytics
from services.health.end_waivers import Ward, end_waivers_once
from services.health.monitor_swarm import monitor_swarm
from services.health.observe_alerts import observe_alerts_once
from services.health.observe_checks import observe_checks_once
from services.health.react import react_to_events
from services.health.refresh_token import refresh_token
from services.health.settle_rises import settle_rises_once
from services.health.surgery import Surgery
from services.health.usage_watch import UsageWatch
from services.health.watch_incidents import Watchman, watch_incidents_once
from shared.cache import open_cache
from shared.database import create_pool
from shared.instagram import open_gate, open_graph_client
from shared.jobs import (
    CheckAccount,
    CollectAnalytics,
    Consumer,
    Handler,
    JobType,
    MonitorSwarm,
    RefreshToken,
    Sender,
    report_stats,
)
from shared.lifecycle import Check, repeat, serve_probes
from shared.publications import note_broker_emptied
from shared.security import TokenCipher
from shared.settings import Settings

_CHECKS_S = 1.0
_OBSERVE_S = 5.0
_EGRESS_S = 5.0
_WAIVERS_S = 5.0
_INCIDENTS_S = 15.0
_ALERTS_S = 60.0
_RISES_S = 30.0


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Judge accounts until told to stop."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(settings.database_url, application_name="health"))
        cache = await stack.enter_async_context(open_cache(settings.redis_url))
        gate = await stack.enter_async_context(open_gate(settings.redis_url))
        usage = UsageWatch(gate)
        # The sweep has as many slots as the jobs have.
        graph = await stack.enter_async_context(
            open_graph_client(settings, connections=2 * settings.health_slots, watch=usage)
        )
        on_missing = partial(note_broker_emptied, pool)
        sender = Sender(settings.amqp_url, name="health-sender", on_missing=on_missing)
        stack.push_async_callback(sender.close)
        cipher = TokenCipher(settings.token_keys)
        surgery = Surgery(
            pool=pool,
            cache=cache,
            rescue_after_s=settings.rescue_after_s,
            graph=graph,
            gate=gate,
            usage=usage,
            cipher=cipher,
            slots=settings.health_slots,
            check_every_s=settings.health_check_every_s,
        )
        inspection = Inspection(
            pool=pool,
            cipher=cipher,
            cache=cache,
            graph_url=settings.instagram_graph_url,
            rescue_after_s=settings.rescue_after_s,
        )
        collection = Collection(pool=pool, graph=graph, gate=gate, cipher=cipher)
        consumer = Consumer(
            service="health",
            urls=settings.amqp_url,
            slots=settings.health_slots,
            handlers={
                JobType.HEALTH_CHECK: Handler(payload=CheckAccount, run=partial(check_account, surgery)),
                JobType.TOKEN_REFRESH: Handler(payload=RefreshToken, run=partial(refresh_token, surgery)),
                JobType.HEALTH_MONITOR: Handler(payload=MonitorSwarm, run=partial(monitor_swarm, pool)),
                JobType.ANALYTICS_PROCESS: Handler(
                    payload=CollectAnalytics, run=partial(collect_analytics, collection)
                ),
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
        end_waivers = partial(end_waivers_once, Ward(pool=pool, cache=cache))
        async with asyncio.TaskGroup() as tasks:
            check_due = partial(check_due_once, surgery)
            tasks.create_task(repeat(check_due, name="checks", every_s=_CHECKS_S, stop=stop))
            observe = partial(observe_checks_once, pool)
            tasks.create_task(repeat(observe, name="observe", every_s=_OBSERVE_S, stop=stop))
            tasks.create_task(repeat(check_egress, name="egress", every_s=_EGRESS_S, stop=stop))
            tasks.create_task(repeat(end_waivers, name="waivers", every_s=_WAIVERS_S, stop=stop))
            watch = partial(watch_incidents_once, Watchman(clinic=surgery, gate=gate))
            tasks.create_task(repeat(watch, name="incidents", every_s=_INCIDENTS_S, stop=stop))
            observe_alerts = partial(observe_alerts_once, pool)
            tasks.create_task(repeat(observe_alerts, name="alerts", every_s=_ALERTS_S, stop=stop))
            settle_rises = partial(settle_rises_once, surgery)
            tasks.create_task(repeat(settle_rises, name="rises", every_s=_RISES_S, stop=stop))
            tasks.create_task(react_to_events(surgery, settings.amqp_url, stop))
            tasks.create_task(consumer.run(stop))
