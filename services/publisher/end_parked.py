"""A `post:publish` that is parked ends its publication: nobody would come back to it."""

from __future__ import annotations

from services.publisher.claim import take
from services.publisher.result import write_result
from services.publisher.results import Failed
from services.publisher.workbench import Workbench
from shared.jobs import Again, Dead, Job, PublishPublication
from shared.publications import Refusal, Refused

# Reasons that pass by themselves. A worker that was lost holds its claim until the lease has run out.
_LATER = frozenset({Refusal.LIVE_LEASE, Refusal.ACCOUNT_BUSY, Refusal.NOT_DUE, Refusal.CAPPED})


async def end_parked(work: Workbench, _job: Job, payload: PublishPublication, dead: Dead) -> Again | None:
    """End the publication with the job's reason; one whose publish call may have had effect as `outcome_unknown`.

    Returns:
        `Again` if it cannot be taken yet; None once it is ended, or if it was not this job's to end.
    """
    taken = await take(work, payload)
    if isinstance(taken, Refused):
        return Again(delay_ms=round(max(work.lease_s, taken.due_in_s) * 1000)) if taken.why in _LATER else None
    fault = {"operation": "publish", "class": "internal", "message": dead.error}
    await write_result(work, taken, Failed(reason=dead.reason, fault=fault))
    return None
