"""`cleanup:old_jobs`: lets go what is old, and folds old statistics."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from shared.cleanup import Policy, clean_up
from shared.database import Pool
from shared.jobs import Again, CleanUp, Job, Transient, fold_stats

_STATS_BATCH = 1_000
# What is left after all its batches goes on soon; others have had a breath.
_GO_ON_MS = 10_000
log = structlog.get_logger()


async def run_cleanup(pool: Pool, policies: Sequence[Policy], _job: Job, _payload: CleanUp) -> Again | None:
    """Carry every policy out once; come again soon if one of them has more to do.

    Raises:
        Transient: some policies failed; the others were carried out.
    """
    done = [outcome async for outcome in clean_up(pool, policies)]
    folded = await fold_stats(pool, limit=_STATS_BATCH)
    log.info("cleanup.done", **{outcome.policy.name: outcome.went for outcome in done}, job_stats=folded)
    failures = [f"{outcome.policy.name}: {outcome.failure}" for outcome in done if outcome.failure]
    if failures:
        raise Transient("; ".join(failures))
    return Again(delay_ms=_GO_ON_MS) if any(outcome.more for outcome in done) else None
