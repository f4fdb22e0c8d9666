"""What is kept for how long, as data. docs/cleanup.md shows it to people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from shared.cleanup.archive_publications import ARCHIVE, COUNT_ENDED

# Rows of one transaction, and so how long its locks last.
_BATCH = 1_000
# Each brings its tries along, and is written once more.
_ARCHIVE_BATCH = 500
_EVENT_DAYS_AHEAD = 3

# What somebody else holds is left for the next time.
_DELETE = """
    WITH old AS (
        SELECT ctid
        FROM {table}
        WHERE {age} < now() - make_interval(days => $1){only}
        ORDER BY {age}
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM old)) RETURNING 1
    )
    SELECT count(*) FROM gone
"""
_COUNT = """
    SELECT count(*)
    FROM (SELECT FROM {table} WHERE {age} < now() - make_interval(days => $1){only} LIMIT $2) AS old
"""
COUNT_EVENTS = """
    SELECT count(*)
    FROM (
        SELECT FROM events WHERE created_at < date_trunc('day', now(), 'UTC') - make_interval(days => $1) LIMIT $2
    ) AS old
"""
COUNT_ARCHIVED = """
    SELECT count(*)
    FROM (
        SELECT FROM publications_archive
        WHERE updated_at < date_trunc('month', now() - make_interval(days => $1), 'UTC')
        LIMIT $2
    ) AS old
"""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What is let go when it is so many days old."""

    name: str  # the table
    days: int | None  # it is kept so long; None: for ever
    count: str  # how many rows are older: $1 days, $2 where counting ends
    let_go: str  # lets them go, and answers how many went: $1 days, $2 rows at most if it goes in batches
    batch: int | None  # rows of one transaction; None: partitions, dropped whole
    fate: Literal["archived", "deleted"] = "deleted"


def _by_age(table: str, *, age: str, days: int, only: str = "") -> Policy:
    """Rows that are old by one of their columns, a batch at a time, the oldest first."""
    words = {"table": table, "age": age, "only": f" AND {only}" if only else ""}
    return Policy(name=table, days=days, count=_COUNT.format(**words), let_go=_DELETE.format(**words), batch=_BATCH)


EVENTS = Policy(
    name="events",
    days=7,
    count=COUNT_EVENTS,
    let_go=f"SELECT roll_event_partitions($1, {_EVENT_DAYS_AHEAD})",
    batch=None,
)
DEAD_JOBS = _by_age("dead_jobs", age="died_at", days=30)
JOB_STARTS = _by_age("job_starts", age="last_started_at", days=1)
# What may be repeated is kept so long, and no longer.
IDEMPOTENCY_KEYS = _by_age("idempotency_keys", age="created_at", days=1)
OPERATIONS = _by_age("operations", age="created_at", days=30)
AUDIT_LOG = _by_age("audit_log", age="created_at", days=365)
WEBHOOK_DELIVERIES = _by_age("webhook_deliveries", age="created_at", days=30)
# One that ended is of no use at once.
OAUTH_STATES = _by_age("oauth_states", age="expires_at", days=0)
SCHEDULE_OCCURRENCES = _by_age("schedule_occurrences", age="due_at", days=400, only="state <> 'pending'")
HEALTH_HISTORY = _by_age("health_history", age="computed_at", days=180)
ANALYTICS_SNAPSHOTS = _by_age("analytics_snapshots", age="captured_at", days=400)
ALERTS = _by_age("alerts", age="resolved_at", days=90, only="state = 'resolved'")
INCIDENTS = _by_age("incidents", age="closed_at", days=90)
# These two are the operator's to set.
ARCHIVED_PUBLICATIONS = Policy(
    name="publications_archive",
    days=730,
    count=COUNT_ARCHIVED,
    let_go="SELECT roll_archive_partitions($1)",
    batch=None,
)
ENDED_PUBLICATIONS = Policy(
    name="publications", days=90, count=COUNT_ENDED, let_go=ARCHIVE, batch=_ARCHIVE_BATCH, fate="archived"
)


def choose_policies(*, archive_after_days: int, archive_keep_days: int) -> list[Policy]:
    """All policies, in the order in which they are carried out: months of the archive are made before it is filled.

    Args:
        archive_after_days: days for which a finished publication stays where it was.
        archive_keep_days: days for which the archive keeps it; 0: for ever.
    """
    return [
        EVENTS,
        DEAD_JOBS,
        JOB_STARTS,
        IDEMPOTENCY_KEYS,
        OPERATIONS,
        AUDIT_LOG,
        WEBHOOK_DELIVERIES,
        OAUTH_STATES,
        SCHEDULE_OCCURRENCES,
        HEALTH_HISTORY,
        ANALYTICS_SNAPSHOTS,
        ALERTS,
        INCIDENTS,
        replace(ARCHIVED_PUBLICATIONS, days=archive_keep_days or None),
        replace(ENDED_PUBLICATIONS, days=archive_after_days),
    ]
