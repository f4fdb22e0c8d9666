"""The status as data: one value for each thing a person asks. None stands for what nobody told."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.status.queues import Queue


@dataclass(frozen=True, kw_only=True)
class Service:
    """One process."""

    name: str
    where: str  # HOST:PORT
    ready: bool
    lacks: dict[str, str]  # what its readiness lacks, and why
    error: str | None  # why it told nothing
    version: str | None
    since: str | None  # RFC 3339
    memory_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Since the gateways began."""

    answered: int | None
    failed: int | None  # by a fault of ours: 500 and above


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """What waits to be sent to the broker."""

    due: int | None
    oldest_s: float | None


@dataclass(frozen=True, kw_only=True)
class Publications:
    """What stands open, and what ended since the publishers began."""

    open: dict[str, int] | None  # by state
    oldest_due_s: float | None
    ended: dict[str, int] | None  # by outcome
    on_time_ratio: float | None  # results within 60 s of their due time
    breaches: dict[str, int]  # promises that are broken, by name


@dataclass(frozen=True, kw_only=True)
class DeadJobs:
    """Jobs that wait for a person, and those parked since the services began."""

    waiting: int | None
    parked: dict[str, int]  # by reason


@dataclass(frozen=True, kw_only=True)
class Cache:
    """Since the gateways began."""

    hit_ratio: float | None  # None: nothing was read
    reads: int
    by_namespace: dict[str, float]
    redis_away: list[str]  # the services that do without it


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Instagram, as this system sees it."""

    down: bool | None
    app_usage_percent: float | None
    incidents: list[str]  # the classes of errors that are one


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The whole system at one moment."""

    at: str  # RFC 3339
    services: list[Service]
    requests: Requests
    queues: list[Queue]
    broker_blocked: list[str]  # the connections it reads nothing from
    outbox: Outbox
    publications: Publications
    dead_jobs: DeadJobs
    cache: Cache
    platform: Platform
    alerts: dict[str, int] | None  # live, by severity
    alert_codes: dict[str, int]  # the same, by code
    accounts: dict[str, int] | None  # by state
    tokens_ending: dict[str, int] | None  # within so many days
    first_token_ends_s: float | None  # until then; negative: since
