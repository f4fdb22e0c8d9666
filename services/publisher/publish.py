"""`post:publish`: one message, one try. The row is the truth, the message a hint."""

from __future__ import annotations

import asyncio

import structlog

from services.publisher.claim import settle_refusal, take
from services.publisher.content import Content, ContentGoneError, read_content
from services.publisher.progress import ClaimLostError
from services.publisher.reconsider import reconsider
from services.publisher.result import write_result
from services.publisher.results import Deferred, Failed, Fault, Result, Retry
from services.publisher.steps import walk_steps
from services.publisher.workbench import Workbench
from shared import metrics
from shared.database import DATABASE_AWAY
from shared.jobs import Again, Job, PublishPublication
from shared.kill_points import kill_point
from shared.publications import Publication, Refused
from shared.security import TokenUnreadableError

log = structlog.get_logger()
# A worker that stops hands its work back within this time, or its lease does.
_HAND_BACK_S = 3.0
# An operator must mend the key ring; the publication waits, and goes on by itself.
_KEY_RING_DELAY_S = 300.0
# As long as a message waits whose job did not find its servers.
_DATABASE_DELAY_S = 5.0


async def publish(work: Workbench, _job: Job, payload: PublishPublication) -> Again | None:
    """Claim the publication, walk the platform's steps, write the result.

    Returns:
        `Again` if the message must come back; None if it has nothing more to say.
    """
    kill_point("publisher.received")
    publication = await take(work, payload)
    if isinstance(publication, Refused):
        log.info("publication.not_claimed", why=publication.why.value)
        await settle_refusal(work, payload, publication)
        return None
    kill_point("publisher.claimed")
    with work.leases.hold(publication):
        try:
            return await write_result(work, publication, await _try(work, publication))
        except ClaimLostError:
            log.warning("publication.claim_lost", epoch=publication.epoch)
            metrics.leases_lost_total.inc()
            return None
        except asyncio.CancelledError:
            await _hand_back(work, publication)
            raise


async def _try(work: Workbench, publication: Publication) -> Result:
    try:
        content = await read_content(work, publication)
        result = await _walk(work, publication, content)
        return await reconsider(work, publication, content, result)
    except ClaimLostError:
        raise
    except ContentGoneError as error:
        return Failed(reason="content_gone", fault=_fault(error))
    except TokenUnreadableError as error:
        log.error("token.unreadable", error=str(error))
        return Deferred(reason="token_unreadable", delay_s=_KEY_RING_DELAY_S, fault=_fault(error))
    except DATABASE_AWAY as error:
        log.warning("publication.database_away", error=str(error) or type(error).__name__)
        return Deferred(reason="database_away", delay_s=_DATABASE_DELAY_S, fault=_fault(error))
    except Exception as error:
        # A defect of ours must not spin for ever, nor pass for the platform's word.
        log.exception("publication.crashed")
        return Retry(reason="internal_error", fault=_fault(error))


async def _walk(work: Workbench, publication: Publication, content: Content) -> Result:
    """The platform's steps, if the platform may be called now. Whatever the row was about to do is kept for later."""
    # Asked last, for the answer may make this try the probe of an outage.
    wait = await work.gate.admit(content.account.ig_user_id)
    if wait is not None:
        return Deferred(reason=wait.reason, delay_s=wait.delay_s)
    try:
        return await walk_steps(work, publication, content)
    finally:
        work.gate.leave(content.account.ig_user_id)


def _fault(error: Exception) -> Fault:
    return {"operation": "publish", "class": "internal", "message": f"{type(error).__name__}: {error}"}


async def _hand_back(work: Workbench, publication: Publication) -> None:
    """This worker stops: the row goes on elsewhere at once, and the try does not count."""
    handing = asyncio.ensure_future(write_result(work, publication, Deferred(reason="worker_stopped", delay_s=0.0)))
    try:
        async with asyncio.timeout(_HAND_BACK_S):
            await asyncio.shield(handing)
    except Exception:
        log.exception("publication.not_handed_back")
