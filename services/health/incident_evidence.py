"""What speaks for an incident: how many accounts one class of error hit of late, of how many that it could have hit.

Tries and looks are counted apart. A permission to publish that is gone is seen by tries alone, and many good looks must
not hide it; tokens that are taken no more are seen by looks, also where nothing is due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.health.incident_steps import ACCOUNTS_LEAST, CLASSES, OF_A_POST, WINDOW_S, is_hit
from shared.database import Connection, Row

# An account that got through since was hit by a hiccup. What was tried before the last pause has had its effect. What
# one post alone is refused with may be its own.
_FAILED = """
    WITH latest AS (
        SELECT DISTINCT ON (account_id) user_id, account_id, publication_id, started_at,
               error ->> 'class' AS error_class
        FROM publication_attempts
        WHERE started_at > now() - $1 * interval '1 second' AND (outcome = 'published' OR error IS NOT NULL)
        ORDER BY account_id, started_at DESC
    ),
    failed AS (SELECT * FROM latest WHERE error_class = ANY($3::text[]))
    SELECT failed.error_class, array_agg(DISTINCT failed.account_id) AS account_ids,
           array_agg(DISTINCT failed.user_id) AS user_ids
    FROM failed
    LEFT JOIN incidents ON incidents.error_class = failed.error_class AND incidents.closed_at IS NULL
    WHERE failed.started_at > coalesce(incidents.paused_until, '-infinity')
    GROUP BY failed.error_class
    HAVING count(DISTINCT failed.account_id) >= $2
       AND (
           failed.error_class <> ALL($4::text[])
           OR (
               SELECT count(DISTINCT publications.post_id)
               FROM unnest(array_agg(failed.publication_id)) AS tried (id)
               JOIN publications ON publications.id = tried.id
           ) > 1
       )
"""
# A try that the gate turned away, or that left early for another reason, says nothing.
_TRIED = """
    SELECT count(DISTINCT account_id) AS accounts, count(*) FILTER (WHERE outcome = 'published') AS published
    FROM publication_attempts
    WHERE started_at > greatest(now() - $1 * interval '1 second', $2::timestamptz)
      AND (outcome = 'published' OR error IS NOT NULL)
"""
# An account that was refused before is no news; one that the open incident hit counts as long as it is refused.
_REFUSED = """
    SELECT refused.error_class, array_agg(refused.account_id) AS account_ids,
           array_agg(DISTINCT refused.user_id) AS user_ids
    FROM (
        SELECT user_id, account_id, checked_at, refused_at,
               CASE finding WHEN 'checkpoint' THEN 'restricted' ELSE 'reauth' END AS error_class
        FROM health_checks
        WHERE refused_at > coalesce((SELECT min(opened_at) FROM incidents WHERE closed_at IS NULL), now())
                           - $1 * interval '1 second'
    ) AS refused
    LEFT JOIN incidents ON incidents.error_class = refused.error_class AND incidents.closed_at IS NULL
    WHERE refused.refused_at > coalesce(incidents.opened_at, now()) - $1 * interval '1 second'
      AND refused.checked_at > greatest(now() - $1 * interval '1 second', incidents.paused_until)
    GROUP BY refused.error_class
    HAVING count(*) >= $2
"""
_LOOKED = """
    SELECT count(*) AS accounts
    FROM health_checks
    WHERE checked_at > greatest(now() - $1 * interval '1 second', $2::timestamptz)
"""
_CLASSES = sorted(CLASSES)
_OF_A_POST = sorted(OF_A_POST)


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One class of error that hits many accounts."""

    error_class: str
    share: float  # of the accounts that it could have hit
    user_ids: Sequence[UUID]
    account_ids: Sequence[UUID]


async def find_hits(connection: Connection, known: Mapping[str, Row]) -> dict[str, Hit]:
    """The classes that hit enough accounts, by class; of those in `known`, the open incidents, since their pause."""
    failed = await connection.fetch(_FAILED, WINDOW_S, ACCOUNTS_LEAST, _CLASSES, _OF_A_POST)
    refused = await connection.fetch(_REFUSED, WINDOW_S, ACCOUNTS_LEAST)
    hits: dict[str, Hit] = {}
    for rows, count in ((failed, _TRIED), (refused, _LOOKED)):
        for row in rows:
            incident = known.get(row["error_class"])
            among = await connection.fetchval(count, WINDOW_S, None if incident is None else incident["paused_until"])
            if is_hit(len(row["account_ids"]), among):
                _add(hits, row, len(row["account_ids"]) / among)
    return hits


async def has_published(connection: Connection, since: datetime) -> bool:
    """Whether anything was published since then, and of late."""
    [row] = await connection.fetch(_TRIED, WINDOW_S, since)
    return bool(row["published"])


def _add(hits: dict[str, Hit], row: Row, share: float) -> None:
    """Keep a hit; tries and looks that tell of the same class are one."""
    known = hits.get(row["error_class"])
    hits[row["error_class"]] = Hit(
        error_class=row["error_class"],
        share=share if known is None else max(share, known.share),
        user_ids=sorted({*row["user_ids"], *(known.user_ids if known else ())}),
        account_ids=sorted({*row["account_ids"], *(known.account_ids if known else ())}),
    )
