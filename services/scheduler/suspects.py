"""Publications that somebody should have moved by now, by each of the ways in which one can be forgotten.

Each statement reads a bounded number of rows, those first that have waited longest.
"""

from __future__ import annotations

from uuid import UUID

from shared.accounts import PUBLISHABLE
from shared.database import Connection

# A sweep that comes every few seconds had its turn.
_GRACE = "interval '1 minute'"
# So many of each kind are looked at, and so many are suspected.
_READ_MOST = 10_000
_SUSPECTS_MOST = 1_000
# No rescue waits longer than this before the next; what is planned further ahead is planned by nobody.
_RESCUE_MOST_S = 900.0
_HELD_BY_ACCOUNT = ["account_paused", "reauth_required", "account_restricted", "account_disconnected"]

# The rescue does not come to it.
_NOT_RESCUED = f"""
    SELECT id
    FROM publications
    WHERE state = 'scheduled' AND rescue_at < now() - {_GRACE}
    ORDER BY rescue_at
    LIMIT $1
"""  # noqa: S608 - built of constants alone
# It is due, and its rescue is further away than anybody puts it.
_NEVER_RESCUED = f"""
    SELECT id
    FROM (
        SELECT id, rescue_at
        FROM publications
        WHERE state = 'scheduled' AND next_attempt_at < now()
        ORDER BY next_attempt_at
        LIMIT $1
    ) AS due
    WHERE rescue_at > now() + $2::float8 * interval '1 second' + {_GRACE}
    LIMIT $3
"""  # noqa: S608 - built of constants alone
# Its worker is gone, and the rescue does not come to it, or not for long.
_NOT_TAKEN_OVER = f"""
    SELECT id
    FROM publications
    WHERE state = 'publishing' AND lease_until < now() - {_GRACE}
      AND rescue_at NOT BETWEEN now() - {_GRACE} AND now() + $2::float8 * interval '1 second' + {_GRACE}
    LIMIT $1
"""  # noqa: S608 - built of constants alone
# It is too late, or can be looked up no more, and nobody says so: see mark_missed.py.
_NOT_GIVEN_UP = f"""
    SELECT id
    FROM (
        SELECT id, state, publish_at, max_lateness_s, step, container_created_at, publish_sent_at
        FROM publications
        WHERE state IN ('scheduled', 'held') AND publish_at < now() - {_GRACE}
        ORDER BY publish_at
        LIMIT $1
    ) AS due
    WHERE (
        publish_at + max_lateness_s * interval '1 second' < now() - {_GRACE}
        AND (step IS NULL OR (step <> 'publish_sent' AND container_created_at < now() - interval '24 hours' - {_GRACE}))
    ) OR (
        state = 'held' AND step = 'publish_sent'
        AND greatest(publish_at, publish_sent_at) < now() - interval '24 hours' - 2 * {_GRACE}
    )
    LIMIT $2
"""  # noqa: S608 - built of constants alone
# Its account holds it, and may publish.
_NOT_RELEASED = """
    SELECT held.id
    FROM (
        SELECT id, user_id, account_id, reason
        FROM publications
        WHERE state = 'held'
        ORDER BY publish_at
        LIMIT $1
    ) AS held
    CROSS JOIN LATERAL (
        SELECT state
        FROM accounts
        WHERE user_id = held.user_id AND id = held.account_id AND removed_at IS NULL
        LIMIT 1
    ) AS account
    WHERE held.reason = ANY($2::text[]) AND account.state = ANY($3::text[])
    LIMIT $4
"""


async def read_suspects(connection: Connection, *, rescue_after_s: float) -> set[UUID]:
    """The publications that somebody should have moved by now, 1,000 of each kind at most.

    Args:
        connection: to the database.
        rescue_after_s: as the services are told; no rescue is planned further ahead than this or 15 minutes.
    """
    ahead_s = max(_RESCUE_MOST_S, rescue_after_s)
    publishable = [state.value for state in PUBLISHABLE]
    found = [
        await connection.fetch(_NOT_RESCUED, _SUSPECTS_MOST),
        await connection.fetch(_NEVER_RESCUED, _READ_MOST, ahead_s, _SUSPECTS_MOST),
        await connection.fetch(_NOT_TAKEN_OVER, _SUSPECTS_MOST, ahead_s),
        await connection.fetch(_NOT_GIVEN_UP, _READ_MOST, _SUSPECTS_MOST),
        await connection.fetch(_NOT_RELEASED, _READ_MOST, _HELD_BY_ACCOUNT, publishable, _SUSPECTS_MOST),
    ]
    return {row["id"] for rows in found for row in rows}
