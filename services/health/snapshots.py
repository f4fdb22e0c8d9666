"""Where numbers are kept, and when the next ones are asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from uuid_utils.compat import uuid7

from services.health.due_numbers import POST_AGES_S, STORY_AGES_S
from shared.database import Connection
from shared.instagram import Insights
from shared.jobs import CollectAnalytics

# One that is removed meanwhile gets none.
_STORE = """
    INSERT INTO analytics_snapshots (
        id, user_id, account_id, publication_id, source, window_from, window_to, due_age_s, metrics
    )
    SELECT $3::uuid, user_id, id, $4::uuid, $5, $6::timestamptz, coalesce($7::timestamptz, now()), $8::int, $9::jsonb
    FROM accounts
    WHERE user_id = $1 AND id = $2 AND removed_at IS NULL
    FOR KEY SHARE
    ON CONFLICT DO NOTHING
"""
_FINISH = """
    UPDATE health_checks
    SET analytics_due_at = least(
        next_analytics_at($2),
        (
            SELECT min(publications.published_at + age_s * interval '1 second')
            FROM publications
            JOIN posts ON posts.user_id = publications.user_id AND posts.id = publications.post_id
            CROSS JOIN unnest(CASE posts.type WHEN 'story' THEN $4::int[] ELSE $3::int[] END) AS age_s
            WHERE publications.user_id = $1 AND publications.account_id = $2 AND publications.state = 'published'
              AND publications.media_id IS NOT NULL
              AND publications.published_at > now() - $5::int * interval '1 second'
              AND publications.published_at + age_s * interval '1 second' > now()
        )
    )
    WHERE user_id = $1 AND account_id = $2
"""
_POSTPONE = """
    UPDATE health_checks
    SET analytics_due_at = now() + $3::float8 * (1 + random() / 4) * interval '1 second'
    WHERE user_id = $1 AND account_id = $2
"""
# A token that came meanwhile may have what this one lacked.
_REFUSE_INSIGHTS = """
    UPDATE health_checks SET insights_refused_at = now()
    WHERE user_id = $1 AND account_id = $2
      AND EXISTS (SELECT FROM account_tokens WHERE account_id = $2 AND obtained_at = $3)
"""


class Source(StrEnum):
    """Where numbers come from."""

    PROFILE = "profile"
    ACCOUNT_INSIGHTS = "account_insights"
    MEDIA_INSIGHTS = "media_insights"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Numbers as the platform gave them."""

    source: Source
    metrics: Insights
    window_from: datetime | None = None
    window_to: datetime | None = None  # None: now
    publication_id: UUID | None = None
    due_age_s: int | None = None


async def store_snapshot(connection: Connection, payload: CollectAnalytics, snapshot: Snapshot) -> None:
    """Keep numbers, unless those of the same day or age are there already."""
    await connection.execute(
        _STORE,
        payload.user_id,
        payload.account_id,
        uuid7(),
        snapshot.publication_id,
        snapshot.source,
        snapshot.window_from,
        snapshot.window_to,
        snapshot.due_age_s,
        json.dumps(dict(snapshot.metrics)),
    )


async def plan_next(connection: Connection, payload: CollectAnalytics, *, insights: bool) -> None:
    """All that was due is taken: come back at the account's time of day, or when a publication reaches its next age.

    Args:
        connection: any.
        payload: whose numbers.
        insights: whether publications can be asked for.
    """
    ages = (POST_AGES_S, STORY_AGES_S) if insights else ((), ())
    await connection.execute(_FINISH, payload.user_id, payload.account_id, *ages, POST_AGES_S[-1])


async def postpone(connection: Connection, payload: CollectAnalytics, *, delay_s: float) -> None:
    """Come back after about so many seconds."""
    await connection.execute(_POSTPONE, payload.user_id, payload.account_id, delay_s)


async def refuse_insights(connection: Connection, payload: CollectAnalytics, *, token_since: datetime) -> None:
    """Ask for no insights any more with the token that was stored then."""
    await connection.execute(_REFUSE_INSIGHTS, payload.user_id, payload.account_id, token_since)
