"""When an account that has used up the platform's publishing limit may publish again."""

from __future__ import annotations

from dataclasses import replace

from services.publisher.results import Deferred
from shared.database import Connection
from shared.publications import Publication

# The window has room when the oldest publication in it is 24 hours old. Where ours alone do not fill it, others do too:
# nobody tells when theirs leave, so it is asked again before long.
_USED_UP = """
    UPDATE accounts
    SET quota_until = (
            SELECT least(
                min(greatest(published_at + interval '24 hours', now() + interval '1 minute')),
                CASE WHEN count(*) > 0 AND count(*) >= coalesce($4, accounts.quota_total) THEN NULL
                     ELSE now() + $3::float8 * interval '1 second' END
            )
            FROM publications
            WHERE user_id = $1 AND account_id = $2 AND state = 'published'
              AND published_at > now() - interval '24 hours'
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
        deferred: what came of the try; its delay is the longest where not all of the window is ours.
    """
    delay_s = await tx.fetchval(
        _USED_UP, publication.user_id, publication.account_id, deferred.delay_s, deferred.quota_total
    )
    return deferred if delay_s is None else replace(deferred, delay_s=delay_s)
