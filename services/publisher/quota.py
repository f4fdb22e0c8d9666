"""When an account that has used up the platform's publishing limit may publish again."""

from __future__ import annotations

from dataclasses import replace

from services.publisher.results import Deferred
from shared.database import Connection
from shared.publications import Publication

# The window has room when the oldest publication in it is 24 hours old. Where it holds none of ours, others filled it.
_USED_UP = """
    UPDATE accounts
    SET quota_until = coalesce(
            (
                SELECT greatest(published_at + interval '24 hours', now() + interval '1 minute')
                FROM publications
                WHERE user_id = $1 AND account_id = $2 AND state = 'published'
                  AND published_at > now() - interval '24 hours'
                ORDER BY published_at
                LIMIT 1
            ),
            now() + $3::float8 * interval '1 second'
        ),
        quota_total = coalesce($4, quota_total)
    WHERE user_id = $1 AND id = $2
    RETURNING extract(epoch FROM quota_until - now())::float8
"""


async def wait_for_quota(tx: Connection, publication: Publication, deferred: Deferred) -> Deferred:
    """Put the publication off to when the window has room, and its account's others with it: claims read the moment.

    Args:
        tx: the transaction that writes the result.
        publication: the row as claimed.
        deferred: what came of the try; its delay holds where the window has none of our publications.
    """
    delay_s = await tx.fetchval(
        _USED_UP, publication.user_id, publication.account_id, deferred.delay_s, deferred.quota_total
    )
    return deferred if delay_s is None else replace(deferred, delay_s=delay_s)
