"""`health:check`: look at one account now."""

from __future__ import annotations

import structlog

from services.health.check_accounts import look_at
from services.health.checks import take_one
from services.health.surgery import Surgery
from shared.jobs import Again, CheckAccount, Job

log = structlog.get_logger()


async def check_account(surgery: Surgery, _job: Job, payload: CheckAccount) -> Again | None:
    """Ask the platform for one account, due or not, and judge it. Where calls have to wait, the rhythm sees to it."""
    async with surgery.pool.acquire() as connection:
        taken = await take_one(connection, payload.account_id, user_id=payload.user_id)
    if taken is None:
        log.info("account.gone")
        return None
    await look_at(surgery, [taken])
    return None
