"""What a try's result means in the light of what else is known: of the token, the media, the platform, the quota."""

from __future__ import annotations

import dataclasses
from functools import partial

from services.publisher.content import Content, has_new_token
from services.publisher.effects import MEDIA_NOT_FETCHED, PLATFORM_ERROR, QUOTA
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
            return await _mind_new_token(work, publication, content, result)
        case Retry(reason=reason) if reason == PLATFORM_ERROR and publication.attempt >= publication.max_attempts:
            return await _mind_outage(work, content, result)
        case Retry(reason=reason) if reason == MEDIA_NOT_FETCHED:
            return await _mind_media(work, publication, result)
        case Deferred(reason=reason) if reason == QUOTA:
            return await _read_quota(work, content, result)
        case _:
            return result


async def _mind_new_token(work: Workbench, publication: Publication, content: Content, result: Held) -> Result:
    """A refusal of a token that the owner has replaced meanwhile says nothing about the account."""
    if not await has_new_token(work, publication, content):
        return result
    return Deferred(reason="token_replaced", delay_s=0.0, fault=result.fault, unsend=result.unsend)


async def _mind_outage(work: Workbench, content: Content, result: Retry) -> Result:
    """Nothing ends because the platform is down: attempts are for a hiccup, not for a bad hour."""
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
