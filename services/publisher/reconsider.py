"""What a try's result means in the light of what else is known: of the token, the media, the platform, the quota."""

from __future__ import annotations

import dataclasses
from functools import partial

from services.publisher.content import Content
from services.publisher.effects import MEDIA_NOT_FETCHED, PLATFORM_ERROR, PROCESSING, QUOTA
from services.publisher.readiness import processing
from services.publisher.results import Deferred, Failed, Held, Result, Retry
from services.publisher.workbench import Workbench
from shared.accounts import AccountState
from shared.instagram import InstagramError
from shared.publications import Publication

_UNREACHABLE = """
    SELECT media.unreachable_reason
    FROM posts
    JOIN media ON media.user_id = posts.user_id
              AND media.id = ANY(posts.media_ids || (posts.options ->> 'cover_media_id')::uuid)
    WHERE posts.user_id = $1 AND posts.id = $2 AND media.unreachable_since IS NOT NULL
    LIMIT 1
"""


async def reconsider(work: Workbench, publication: Publication, content: Content, result: Result) -> Result:
    """Look behind a result before it is written. What cannot be found out leaves it as it is."""
    match result:
        case Held(account_state=AccountState.NEEDS_REAUTH):
            # Whether it is still the account's is seen when the result is written.
            return dataclasses.replace(result, refused_token=content.sealed_token)
        case Retry(reason=reason) if reason == PLATFORM_ERROR:
            return await _mind_outage(work, publication, content, result)
        case Retry(reason=reason) if reason == MEDIA_NOT_FETCHED:
            return await _mind_media(work, publication, result)
        case Deferred(reason=reason) if reason == QUOTA:
            return await _read_quota(work, content, result)
        case Deferred(reason=reason) if reason == PROCESSING:
            # However it was found out: asked ever more rarely.
            return dataclasses.replace(result, delay_s=processing(publication).delay_s)
        case _:
            return result


async def _mind_outage(work: Workbench, publication: Publication, content: Content, result: Retry) -> Result:
    """Nothing ends because the platform is down: attempts are for a hiccup, not for a bad hour."""
    wait = work.gate.outage_wait()
    if wait is None and publication.attempt >= publication.max_attempts:
        wait = await work.gate.confirm_outage(partial(work.graph.profile, content.account))
    if wait is None:
        return result
    return Deferred(reason=wait.reason, delay_s=wait.delay_s, fault=result.fault, unsend=result.unsend)


async def _mind_media(work: Workbench, publication: Publication, result: Retry) -> Result:
    """Media that our own check cannot fetch either will not be fetched by another container."""
    reason = await work.pool.fetchval(_UNREACHABLE, publication.user_id, publication.post_id)
    if reason is None:
        return result
    fault = {**result.fault, "message": f"{result.fault['message']} Our own check found: {reason}"}
    return Failed(reason="media_unreachable", fault=fault, drop_container=True, unsend=result.unsend)


async def _read_quota(work: Workbench, content: Content, result: Deferred) -> Deferred:
    """The platform says how much it allows: warm-up keeps below it."""
    try:
        limit = await work.graph.publishing_limit(content.account)
    except InstagramError:
        return result
    return dataclasses.replace(result, quota_total=limit.total)
