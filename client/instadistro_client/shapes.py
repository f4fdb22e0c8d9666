"""What the gateway answers. Written by `python -m services.api.openapi`; do not edit.

Words of closed sets are plain texts here: a newer gateway may know more of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from instadistro_client.errors import Fault


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The publications that were made."""

    post_id: UUID
    publish_at: datetime
    publications: list[UUID]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An Instagram professional account; its token never leaves."""

    id: UUID
    username: str
    instagram_user_id: str
    state: str
    state_reason: str | None
    can_publish: bool
    held_because: str | None
    tags: list[str]
    proxy_id: UUID | None
    protocol_id: str | None
    token_expires_at: datetime | None
    token_obtained_at: datetime | None
    token_scopes: list[str] | None
    created_at: datetime
    updated_at: datetime


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What a person should know of one subject."""

    id: UUID
    code: str
    severity: str
    state: str
    subject: AlertSubject
    text: str
    advice: str
    details: dict[str, Any]
    count: int
    opened_at: datetime
    seen_at: datetime
    escalated_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None


class AlertSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong."""

    type: str
    id: UUID


class AnalyticsSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers as the platform gave them at one time."""

    id: UUID
    source: str
    publication_id: UUID | None
    window: AnalyticsWindow
    captured_at: datetime
    freshness_s: int
    metrics: dict[str, int | float | None]
    deltas: dict[str, int | float | None]
    deltas_since: datetime | None


class AnalyticsWindow(msgspec.Struct, frozen=True, kw_only=True):
    """What numbers cover."""

    from_: datetime | None = msgspec.field(name="from")
    to: datetime


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, without its secret."""

    id: UUID
    key_id: str
    name: str
    scopes: list[str]
    account_ids: list[UUID] | None
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    revoked_at: datetime | None
    replaces: UUID | None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a publication."""

    epoch: int
    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    step: str | None
    error: dict[str, Any] | None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who changed what."""

    id: UUID
    at: datetime
    actor: str | None
    action: str
    subject: AuditSubject
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None


class AuditSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What was changed."""

    type: str
    id: str


class Cleanup(msgspec.Struct, frozen=True, kw_only=True):
    """What a cleanup lets go, counted before it begins."""

    dry_run: bool
    policies: list[OldRows]


class Connecting(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send the account's owner, once, until when."""

    authorize_url: str
    expires_at: datetime


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What all processes have done with the jobs of a type."""

    completed: int
    failed: int
    active: int


class DeadJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that cannot succeed."""

    id: UUID
    type: str
    subject: str
    reason: str
    error: str | None
    attempt: int
    priority: str
    died_at: datetime


class DeadJobInFull(msgspec.Struct, frozen=True, kw_only=True):
    """A job that cannot succeed, with all that it carried."""

    id: UUID
    type: str
    subject: str
    reason: str
    error: str | None
    attempt: int
    priority: str
    died_at: datetime
    failures: list[FailedRun]
    headers: dict[str, str]
    payload: Any
    payload_base64: str | None


class Deaths(msgspec.Struct, frozen=True, kw_only=True):
    """How many jobs of a type died of a reason."""

    type: str
    reason: str
    count: int
    oldest: datetime
    newest: datetime


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one receiver."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    event_type: str
    state: str
    attempts: int
    status: int | None
    error: str | None
    latency_ms: int | None
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None


class Discarded(msgspec.Struct, frozen=True, kw_only=True):
    """How many dead jobs were let go."""

    discarded: int
    more: bool


class Distributed(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of a distribution, and what was made of it."""

    seed: int
    dry_run: bool
    plan: list[PlannedPublication]
    plan_digest: str
    conflicts: list[Fault]
    publications: int
    id: UUID | None = None


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """One post to a group over a window of time, or to the one account of a schedule."""

    id: UUID
    post_id: UUID
    group_id: UUID | None
    schedule_id: UUID | None
    state: str
    window: WindowBody
    min_gap_s: float
    max_lateness_s: int | None
    seed: int
    counts: dict[str, int]
    paused_at: datetime | None
    canceled_at: datetime | None
    created_at: datetime


class FailedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run that failed."""

    attempt: int
    at: datetime
    error: str


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of accounts."""

    id: UUID
    name: str
    color: str | None
    tags: list[str]
    account_count: int
    created_at: datetime
    updated_at: datetime


class Halted(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution that was paused or canceled, and what could not be stopped any more."""

    distribution: Distribution
    stopped: int
    in_flight: list[UUID]
    sent: list[UUID]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The newest judgement of one account."""

    account_id: UUID
    score: int
    band: str
    confidence: float
    components: dict[str, float]
    weights: dict[str, float]
    gates: dict[str, int]
    reasons: list[Reason]
    formula_version: int
    computed_at: datetime
    caution: str
    caution_waived_until: datetime | None


class HealthOverride(msgspec.Struct, frozen=True, kw_only=True):
    """How careful the system is with an account, by a person's wish."""

    account_id: UUID
    caution: str
    caution_waived_until: datetime | None
    reason: str | None
    released: int


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do."""

    created: int
    updated: int
    unchanged: int
    dry_run: bool
    accounts: list[UUID] | None = None


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """An account that has no part in an occurrence, and why."""

    account_id: UUID
    code: str


class MadeApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key that was just made, with its secret."""

    id: UUID
    key_id: str
    name: str
    scopes: list[str]
    account_ids: list[UUID] | None
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    revoked_at: datetime | None
    replaces: UUID | None
    key: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key it is, and what it may do."""

    user_id: UUID
    email: str
    key_id: str
    scopes: list[str]
    account_ids: list[UUID] | None


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """A picture or video that is kept."""

    id: UUID
    kind: str
    mime: str
    bytes: int
    width: int
    height: int
    duration_ms: int | None
    sha256: str
    formats: list[str]
    problems: dict[str, list[str]]
    url: str
    unreachable_since: datetime | None
    unreachable_reason: str | None
    created_at: datetime


class OldRows(msgspec.Struct, frozen=True, kw_only=True):
    """What is old enough to go by one policy."""

    table: str
    kept_days: int | None
    fate: str
    rows: int
    rows_are_exact: bool


class OpenIncident(msgspec.Struct, frozen=True, kw_only=True):
    """A class of error that hits many accounts at once. It is the app's trouble, and counts against no account."""

    error_class: str
    since: datetime
    paused_until: datetime


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """Long work that somebody may watch."""

    id: UUID
    type: str
    state: str
    done: int
    total: int | None
    progress: float
    result: OperationResult | None
    problem: OperationProblem | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class OperationProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why it failed, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[Fault]
    retryable: bool


class OperationResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did."""

    created: int
    updated: int
    unchanged: int
    accounts: list[UUID] | None = None


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """What is due and not sent yet."""

    due: int
    oldest_s: float | None


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """What one account says instead."""

    caption: str


class PastHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What was judged of one account at one time."""

    id: UUID
    account_id: UUID
    score: int
    band: str
    confidence: float
    components: dict[str, float]
    gates: dict[str, int]
    reasons: list[Reason]
    formula_version: int
    computed_at: datetime


class PersonTag(msgspec.Struct, frozen=True, kw_only=True):
    """A person in a medium. Pictures of the feed need both coordinates, videos take none."""

    username: str
    x: float | None = None
    y: float | None = None


class PlannedPublication(msgspec.Struct, frozen=True, kw_only=True):
    """Who would publish when."""

    account_id: UUID
    publish_at: datetime


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """Content, and what its publications say about it."""

    id: UUID
    type: str
    caption: str
    media_ids: list[UUID]
    overrides: dict[str, Override]
    options: PostOptions
    status: str
    counts: dict[str, int]
    created_at: datetime
    updated_at: datetime


class PostOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a post may say beside caption and media; stored as `posts.options`. Lists by medium follow `media_ids`."""

    alt_texts: list[str] | None = None
    user_tags: list[list[PersonTag]] | None = None
    location_id: str | None = None
    collaborators: list[str] | None = None
    share_to_feed: bool | None = None
    cover_media_id: UUID | None = None
    thumb_offset_ms: int | None = None
    audio_name: str | None = None
    trial: str | None = None
    is_ai_generated: bool | None = None


class PostQueue(msgspec.Struct, frozen=True, kw_only=True):
    """Posts that wait for a schedule to take them, one after the other."""

    id: UUID
    name: str
    on_empty: str
    post_count: int
    next_post_id: UUID | None
    post_ids: list[UUID] | None = None
    created_at: datetime
    updated_at: datetime


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The due times to come of a rule."""

    timezone: str
    as_of: datetime
    times: list[PreviewedTime]


class PreviewedTime(msgspec.Struct, frozen=True, kw_only=True):
    """One due time to come."""

    local_date: str
    slot: str
    local: datetime
    due_at: datetime
    skipped: bool
    reason: str | None


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """How much a newly connected account may publish, day by day."""

    id: str
    name: str
    description: str
    daily_caps: list[int]
    min_gap_s: int
    success_ratio: float
    advance_rule: str


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
    """A way out that some accounts must take."""

    id: UUID
    name: str
    scheme: str
    host: str
    port: int
    has_credentials: bool
    status: str
    status_reason: str | None
    latency_ms: int | None
    checked_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ProxyTest(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found."""

    status: str
    latency_ms: int | None
    reason: str | None


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One post on one account at one time."""

    id: UUID
    post_id: UUID
    account_id: UUID
    distribution_id: UUID | None
    publish_at: datetime
    state: str
    reason: str | None
    max_lateness_s: int | None
    revision: int
    attempt: int
    max_attempts: int
    next_attempt_at: datetime
    media_id: str | None
    permalink: str | None
    published_at: datetime | None
    error: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
    archived: bool


class Queues(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that wait in each queue of the broker."""

    queues: dict[str, int]


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """How much an account may publish, as far as this system knows."""

    account_id: UUID
    published_24h: int
    quota_total: int | None
    warmup: WarmUp | None
    health_cap: int | None
    next_slot_at: datetime | None
    next_slot_reason: str | None
    as_of: datetime


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a score is not 100, and what to do about it."""

    code: str
    text: str
    advice: str


class RecurringJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is due again and again."""

    name: str
    type: str
    every_ms: int | None
    cron: str | None
    zone: str | None
    misfire: str
    next_due_at: datetime
    last_fired_at: datetime | None
    paused_at: datetime | None
    error: str | None


class Redriven(msgspec.Struct, frozen=True, kw_only=True):
    """What came of sending dead jobs back."""

    redriven: int
    dry_run: bool
    refused: list[RefusedJob]
    more: bool


class RefusedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A dead job that stays where it is."""

    id: UUID
    reason: str


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the publications that waited for what was removed, and of the schedules that used it."""

    canceled: int
    in_flight: list[UUID]
    sent: list[UUID]
    paused_schedules: int


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution that goes on."""

    distribution: Distribution
    released: int
    held: int


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution whose failed and missed publications are tried again."""

    distribution: Distribution
    retried: int
    conflicts: list[Fault]


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule by which a post, or the next one of a queue, is published again and again."""

    id: UUID
    name: str
    cron: str | None
    slots: list[SlotBody] | None
    timezone: str
    dst_gap: str
    dst_overlap: str
    starts_at: datetime | None
    ends_at: datetime | None
    misfire: str
    account_id: UUID | None
    group_id: UUID | None
    post_id: UUID | None
    post_queue_id: UUID | None
    window_s: int
    min_gap_s: float
    max_lateness_s: int | None
    state: str
    error: str | None
    paused_at: datetime | None
    next_at: datetime | None
    next_local: datetime | None
    created_at: datetime
    updated_at: datetime


class ScheduleOccurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One due time of a schedule, and what became of it."""

    id: UUID
    schedule_id: UUID
    local_date: str
    slot: str
    due_at: datetime
    state: str
    reason: str | None
    post_id: UUID | None
    distribution_id: UUID | None
    publications: int
    conflicts: list[LeftOut]
    conflict_count: int
    created_at: datetime
    processed_at: datetime | None


class SlotBody(msgspec.Struct, frozen=True, kw_only=True):
    """A wall time of a weekday."""

    weekday: str
    time: str


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, what is due, and what died."""

    types: dict[str, Counts]
    outbox: Outbox
    dead: list[Deaths]


class Swarm(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts of a tenant seen together."""

    accounts: int
    judged: int
    score: float | None
    mean: float | None
    p10: float | None
    publishable_ratio: float | None
    earliest_token_expiry: datetime | None
    bands: dict[str, int]
    worst: list[Worst]
    incidents: list[OpenIncident]


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing would be refused for."""

    valid: bool
    errors: list[Fault]
    warnings: list[Fault]


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform says of an account now."""

    account: Account
    token_valid: bool
    problem: str | None
    account_type: str | None
    quota_used: int | None
    quota_total: int | None


class WarmUp(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account stands in its protocol."""

    protocol_id: str
    day: int
    days: int
    began_at: datetime | None
    cap: int
    used: int
    min_gap_s: int


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tenant's events are sent."""

    id: UUID
    url: str
    events: list[str]
    description: str
    state: str
    state_reason: str | None
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime


class WebhookWithSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The same, with the secret that is shown this once."""

    id: UUID
    url: str
    events: list[str]
    description: str
    state: str
    state_reason: str | None
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime
    secret: str


class WindowBody(msgspec.Struct, frozen=True, kw_only=True):
    """A span of time, both ends included."""

    from_: datetime = msgspec.field(name="from")
    to: datetime


class Worst(msgspec.Struct, frozen=True, kw_only=True):
    """An account among those with the lowest scores."""

    account_id: UUID
    username: str
    score: int
    band: str
    reason: Reason | None


__all__ = [
    "Accepted",
    "Account",
    "Alert",
    "AlertSubject",
    "AnalyticsSnapshot",
    "AnalyticsWindow",
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "AuditSubject",
    "Cleanup",
    "Connecting",
    "Counts",
    "DeadJob",
    "DeadJobInFull",
    "Deaths",
    "Delivery",
    "Discarded",
    "Distributed",
    "Distribution",
    "FailedRun",
    "Group",
    "Halted",
    "Health",
    "HealthOverride",
    "Imported",
    "LeftOut",
    "MadeApiKey",
    "Me",
    "Media",
    "OldRows",
    "OpenIncident",
    "Operation",
    "OperationProblem",
    "OperationResult",
    "Outbox",
    "Override",
    "PastHealth",
    "PersonTag",
    "PlannedPublication",
    "Post",
    "PostOptions",
    "PostQueue",
    "Preview",
    "PreviewedTime",
    "Protocol",
    "Proxy",
    "ProxyTest",
    "Publication",
    "Queues",
    "Quota",
    "Reason",
    "RecurringJob",
    "Redriven",
    "RefusedJob",
    "Removed",
    "Resumed",
    "Retried",
    "Schedule",
    "ScheduleOccurrence",
    "SlotBody",
    "Stats",
    "Swarm",
    "Validation",
    "Verified",
    "WarmUp",
    "Webhook",
    "WebhookWithSecret",
    "WindowBody",
    "Worst",
]
