"""The platform's steps in order: container, poll, publish. Each is committed before the call that follows it."""

from __future__ import annotations

import asyncio

from services.publisher.content import Content
from services.publisher.faults import judge, says_nothing
from services.publisher.progress import mark_created, mark_publish_sent
from services.publisher.results import Deferred, Failed, Fault, Result, Retry
from services.publisher.verify import ResendAllowed, confirm_published, look_up_now, verify
from services.publisher.workbench import Workbench
from shared.instagram import (
    ContainerCode,
    ContainerStatus,
    ErrorClass,
    GraphError,
    GraphUnclearError,
    InstagramError,
    classify_container,
)
from shared.kill_points import kill_point
from shared.publications import Publication, Step

# A container lives 24 hours; one about to end is not worth the race.
_CONTAINER_LIFE_S = 23 * 3600.0 + 50 * 60
_EXPIRED: Fault = {
    "operation": "container_status",
    "class": "expired",
    "message": "The container expired before it could be published.",
}
_POLL_FIRST_S = 0.2
_POLL_MOST_S = 3.0
_POLL_LATER_S = 10.0
_POLL_LATER_MOST_S = 900.0


async def walk_steps(work: Workbench, publication: Publication, content: Content) -> Result:
    """Go on from wherever the row stands, as far as this try comes.

    Raises:
        ClaimLostError: another worker took over.
    """
    if publication.step is Step.PUBLISH_SENT:
        return await _verify_sent(work, publication, content)
    try:
        if publication.container_id is None:
            publication = await _create(work, publication, content)
        elif _container_age_s(publication) > _CONTAINER_LIFE_S:
            return Retry(reason="container_expired", fault=_EXPIRED, drop_container=True)
        not_ready = await _wait_ready(work, publication, content)
    except InstagramError as error:
        return judge(error)
    return not_ready or await _publish(work, publication, content)


def _container_age_s(publication: Publication) -> float:
    created_at = publication.container_created_at
    return publication.age_s(created_at) if created_at else 0.0


async def _create(work: Workbench, publication: Publication, content: Content) -> Publication:
    container_id = await work.graph.create_image_container(
        content.account, image_url=content.image_url, caption=content.caption
    )
    kill_point("publisher.container_answered")
    publication = await mark_created(work, publication, container_id)
    kill_point("publisher.container_committed")
    return publication


async def _wait_ready(work: Workbench, publication: Publication, content: Content) -> Result | None:
    """Poll for a while, the first time; None once the container can be published.

    A container that was not ready in its first seconds is looked at once per delivery, ever more rarely.
    """
    wait_s = _POLL_FIRST_S
    while True:
        status = await _status(work, publication, content)
        if status is not None and status.code is not ContainerCode.IN_PROGRESS:
            return await _judge_status(work, publication, content, status)
        if _container_age_s(publication) + wait_s > work.poll_in_worker_s:
            return _processing(publication)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 1.5, _POLL_MOST_S)


def _processing(publication: Publication) -> Deferred:
    delay_s = min(max(_container_age_s(publication) / 4, _POLL_LATER_S), _POLL_LATER_MOST_S)
    return Deferred(reason="processing", delay_s=delay_s)


async def _status(work: Workbench, publication: Publication, content: Content) -> ContainerStatus | None:
    """The container's state; None where the platform says nothing about it yet."""
    try:
        return await work.graph.container_status(content.account, publication.container_id or "")
    except GraphError as error:
        if says_nothing(error):
            return None
        raise


async def _judge_status(
    work: Workbench, publication: Publication, content: Content, status: ContainerStatus
) -> Result | None:
    match status.code:
        case ContainerCode.FINISHED:
            return None
        case ContainerCode.PUBLISHED:
            return await confirm_published(work, publication, content)
        case ContainerCode.ERROR:
            rule = classify_container(status.subcode)
            fault = {
                "operation": "container_status",
                "class": rule.error_class.value,
                "subcode": status.subcode,
                "message": f"{rule.meaning}. {rule.advice} The platform said: {status.detail}",
                "advice": rule.advice,
            }
            if rule.error_class is ErrorClass.FIX_CONTENT:
                return Failed(reason="content_rejected", fault=fault, drop_container=True)
            return Retry(reason="container_failed", fault=fault, drop_container=True)
        case ContainerCode.EXPIRED:
            return Retry(reason="container_expired", fault=_EXPIRED, drop_container=True)
        case _:
            return _processing(publication)


async def _publish(work: Workbench, publication: Publication, content: Content) -> Result:
    """The one irreversible call. Whatever is not a clear no is looked up before anything else is done."""
    publication = await mark_publish_sent(work, publication)
    kill_point("publisher.publish_committed")
    try:
        media_id = await work.graph.publish_container(content.account, publication.container_id or "")
    except InstagramError as error:
        if isinstance(error, GraphUnclearError) or (isinstance(error, GraphError) and error.may_be_live):
            return await look_up_now(work, publication, content, cause=error)
        return judge(error, unsend=True)
    kill_point("publisher.publish_answered")
    return await confirm_published(work, publication, content, media_id=media_id)


async def _verify_sent(work: Workbench, publication: Publication, content: Content) -> Result:
    found = await verify(work, publication, content)
    # The same container once more, never a new one: certain absence is the only thing that allows it.
    return await _publish(work, publication, content) if isinstance(found, ResendAllowed) else found
