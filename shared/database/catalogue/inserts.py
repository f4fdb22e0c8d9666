"""Statements that only add rows, or change the very row they would have added: no index could serve them better.

Their conflicts are found by the primary key or the unique index that makes them conflicts.
"""

from __future__ import annotations

#: `package.module:NAME` of each.
INSERTS: tuple[str, ...] = (
    "deploy.cli.users:_INSERT_KEY",
    "deploy.cli.users:_INSERT_USER",
    "services.api.audit.record:_INSERT",
    "services.api.groups.store:_INSERT",
    "services.api.idempotency.store:_KEEP",
    "services.api.idempotency.store:_RESERVE",
    "services.api.keys.store:_INSERT",
    "services.api.media.store:_INSERT",
    "services.api.operations.store:_INSERT",
    "services.api.oauth.store:_BEGIN",
    "services.api.post_queues.store:_ADD",
    "services.api.post_queues.store:_INSERT",
    "services.api.posts.store:_INSERT",
    "services.api.proxies.store:_INSERT",
    "services.api.schedules.store:_INSERT",
    "services.scheduler.choose_post:_PUT_LAST",
    "services.scheduler.park_dead_jobs:_INSERT",
    "shared.accounts.imports.store:_PUT_TOKENS",
    "shared.accounts.plan_checks:_PLAN",
    "shared.jobs.recurring.add:_ADD",
    "shared.jobs.starts:_BEGIN",
    "shared.jobs.stats:_ADD",
    "services.health.score_store:_NOTE",
    "shared.outbox.append:_APPEND",
    "shared.outbox.append:_PUT_BACK",
    "shared.outbox.append:_REPLACE",
    "shared.outbox.events:_INSERT",
    "services.api.webhooks.store:_INSERT",
    "services.health.watch_incidents:_BEGIN",
    "shared.publications.create:_INSERT",
    "shared.publications.distribute:_INSERT",
    "shared.schedules.write:_INSERT",
    "shared.webhooks.deliveries:_INSERT",
)
