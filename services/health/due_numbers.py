"""Which of an account's numbers are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.accounts import ACCOUNT_COLUMNS, ACCOUNT_JOINS, PUBLISHABLE
from shared.database import Connection, Row
from shared.instagram import INSTAGRAM_LOGIN, MediaProduct
from shared.jobs import CollectAnalytics

_HOUR_S = 3_600
_DAY_S = 86_400
#: At these ages of a post its numbers are taken: they come in for weeks, and up to two days late.
POST_AGES_S = tuple(days * _DAY_S for days in (1, 2, 7, 14, 28, 56))
#: A story has numbers for a day only.
STORY_AGES_S = (6 * _HOUR_S, 20 * _HOUR_S)
_STORY_LIFE_S = _DAY_S
# What was due while nobody could ask is made up for so long after the last age.
_MADE_UP_FOR_S = 28 * _DAY_S
# The platform's numbers of a day are whole up to 48 hours after it: asked for sooner, too small ones would be kept.
_DAYS_AGO = (2, 3, 4)
_PRODUCTS = {"story": MediaProduct.STORY, "reel": MediaProduct.REELS}

_SUBJECT = f"""
    SELECT {ACCOUNT_COLUMNS}, account_tokens.obtained_at,
           coalesce(account_tokens.scopes @> $4::text[], true)
               AND coalesce(health_checks.insights_refused_at < account_tokens.obtained_at, true) AS may_read_insights,
           NOT EXISTS (
               SELECT FROM analytics_snapshots
               WHERE account_id = $2 AND source = 'profile' AND publication_id IS NULL
                 AND until_day = (now() AT TIME ZONE 'UTC')::date
           ) AS wants_profile,
           ARRAY (
               SELECT day_end FROM unnest($5::int[]) AS days_ago
               CROSS JOIN LATERAL (
                   SELECT date_trunc('day', now(), 'UTC') - days_ago * interval '24 hours' AS day_end
               ) AS one
               WHERE NOT EXISTS (
                   SELECT FROM analytics_snapshots
                   WHERE account_id = $2 AND source = 'account_insights' AND publication_id IS NULL
                     AND until_day = (day_end AT TIME ZONE 'UTC')::date
               )
           ) AS day_ends
    FROM accounts
    {ACCOUNT_JOINS}
    JOIN health_checks ON health_checks.account_id = accounts.id
    WHERE accounts.user_id = $1 AND accounts.id = $2 AND accounts.removed_at IS NULL
      AND accounts.state = ANY($3::text[]) AND coalesce(accounts.token_expires_at > now(), true)
"""  # noqa: S608 - built of constants alone
# Stories first, whose numbers go. The rest by chance: what is never answered must not stand before all others.
_DUE_MEDIA = """
    SELECT publications.id, publications.media_id, posts.type, due.age_s
    FROM publications
    JOIN posts ON posts.user_id = publications.user_id AND posts.id = publications.post_id
    CROSS JOIN LATERAL (
        SELECT max(age_s) AS age_s
        FROM unnest(CASE posts.type WHEN 'story' THEN $4::int[] ELSE $3::int[] END) AS age_s
        WHERE publications.published_at + age_s * interval '1 second' <= now()
    ) AS due
    WHERE publications.user_id = $1 AND publications.account_id = $2 AND publications.state = 'published'
      AND publications.media_id IS NOT NULL AND due.age_s IS NOT NULL
      AND publications.published_at
          > now() - CASE posts.type WHEN 'story' THEN $6::int ELSE $5::int END * interval '1 second'
      AND publications.published_at > now() - $5::int * interval '1 second'
      AND NOT EXISTS (
          SELECT FROM analytics_snapshots
          WHERE analytics_snapshots.publication_id = publications.id AND analytics_snapshots.due_age_s >= due.age_s
      )
    ORDER BY posts.type = 'story' DESC, random()
    LIMIT $7
"""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An account whose numbers can be asked for, and what of its own numbers is there."""

    row: Row = field(repr=False)  # for `open_account`
    token_since: datetime
    may_read_insights: bool
    wants_profile: bool
    day_ends: Sequence[datetime]  # of the days, of UTC, that are final and not there


@dataclass(frozen=True, kw_only=True)
class DueMedium:
    """A publication whose numbers are due."""

    publication_id: UUID
    media_id: str
    product: MediaProduct
    due_age_s: int


async def read_subject(connection: Connection, payload: CollectAnalytics) -> Subject | None:
    """The account; None if it is gone, does not publish, or has no live token."""
    states = [state.value for state in sorted(PUBLISHABLE)]
    scopes = list(INSTAGRAM_LOGIN.insights_scopes)
    row = await connection.fetchrow(_SUBJECT, payload.user_id, payload.account_id, states, scopes, _DAYS_AGO)
    if row is None:
        return None
    return Subject(
        row=row,
        token_since=row["obtained_at"],
        may_read_insights=row["may_read_insights"],
        wants_profile=row["wants_profile"],
        day_ends=row["day_ends"],
    )


async def read_due_media(connection: Connection, payload: CollectAnalytics, *, limit: int) -> Sequence[DueMedium]:
    """Publications that have reached an age at which nobody has asked for their numbers yet."""
    rows = await connection.fetch(
        _DUE_MEDIA,
        payload.user_id,
        payload.account_id,
        POST_AGES_S,
        STORY_AGES_S,
        POST_AGES_S[-1] + _MADE_UP_FOR_S,
        _STORY_LIFE_S,
        limit,
    )
    return [
        DueMedium(
            publication_id=row["id"],
            media_id=row["media_id"],
            product=_PRODUCTS.get(row["type"], MediaProduct.FEED),
            due_age_s=row["age_s"],
        )
        for row in rows
    ]
