"""Counting the starts of jobs whose worker may have died of them, where a dying process cannot lose the count."""

from __future__ import annotations

from shared.database import Pool
from shared.jobs.envelope import Job

#: The start at which a job is parked instead: two workers have died in its company, the second with nothing beside it.
LAST_START = 3

# The first start is not counted, so that a job in good health costs no write. An old row tells of another life: its
# end could not be noted while the database was away.
_BEGIN = """
    INSERT INTO job_starts (type, subject, starts) VALUES ($1, $2, 2)
    ON CONFLICT (type, subject) DO UPDATE SET
        starts = CASE WHEN job_starts.last_started_at < now() - interval '1 hour' THEN 2 ELSE job_starts.starts + 1 END,
        last_started_at = now()
    RETURNING starts
"""
_END = "DELETE FROM job_starts WHERE type = $1 AND subject = $2"


async def begin(pool: Pool, job: Job) -> int:
    """Count a start of a job that came again without a word from its worker. Returns its number, from 2."""
    return int(await pool.fetchval(_BEGIN, job.type, job.subject))


async def end(pool: Pool, job: Job) -> None:
    """The job came to an orderly end, whatever it was: nobody died."""
    await pool.execute(_END, job.type, job.subject)
