"""Where a user's rows are, and the order in which they can go: children before what they point to."""

from __future__ import annotations

from dataclasses import dataclass

# By key and not by ctid, which two partitions may share.
_COUNT = "SELECT count(*) FROM {table} WHERE user_id = $1"
_TAKE = """
    DELETE FROM {table}
    WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {which} LIMIT $2)
    RETURNING {name}::text AS name
"""


@dataclass(frozen=True, kw_only=True)
class Store:
    """A table with rows of users."""

    name: str
    count: str  # $1 the user
    take: str  # deletes some and answers what jobs call them: $1 the user, $2 the most rows


def _of(table: str, *, key: str = "id", name: str = "id", which: str = "user_id = $1") -> Store:
    words = {"table": table, "key": key, "name": name, "which": which}
    return Store(name=table, count=_COUNT.format(**words), take=_TAKE.format(**words))


PUBLICATIONS = _of("publications")  # with their tries
ARCHIVE = _of("publications_archive", key="id, updated_at")
SNAPSHOTS = _of("analytics_snapshots")
HEALTH_HISTORY = _of("health_history")
EVENTS = _of("events", key="created_at, seq")
DELIVERIES = _of("webhook_deliveries")
AUDIT_LOG = _of("audit_log")
IDEMPOTENCY_KEYS = _of("idempotency_keys", key="user_id, key", name="key")
OCCURRENCES = _of("schedule_occurrences")
ALERTS = _of("alerts")
OPERATIONS = _of("operations")
ACCOUNTS = _of("accounts")  # with token, score, checks and memberships
POSTS = _of("posts")

#: What comes first has no rows that point to it any more.
STORES = (
    OPERATIONS,
    DELIVERIES,
    _of("webhooks"),
    PUBLICATIONS,
    ARCHIVE,
    SNAPSHOTS,
    HEALTH_HISTORY,
    OCCURRENCES,
    _of("distributions"),
    _of("schedules"),
    _of("post_queues"),  # with what waits in them
    _of("recurring_jobs", key="name", name="name"),
    POSTS,
    _of("media", which="user_id = $1 AND dropped_at IS NOT NULL"),  # a row stays as long as its bytes do
    ACCOUNTS,
    _of("groups"),
    _of("proxies"),
    ALERTS,
    _of("oauth_states", key="state_hash", name="user_id"),
    IDEMPOTENCY_KEYS,
    AUDIT_LOG,
    EVENTS,
)
