"""Waiting until the platform has done with a container: in the worker for seconds, by the queue for minutes."""

from __future__ import annotations

import asyncio

from services.publisher.content import Content
from services.publisher.effects import PROCESSING, judge_container, says_nothing
from services.publisher.results import Deferred, Failed, Fault, Retry
from services.publisher.workbench import Workbench
from shared.instagram import ContainerCode, ContainerStatus, GraphError
from shared.publications import Publication

EXPIRED: Fault = {
    "operation": "container_status",
    "class": "expired",
    "message": "The container expired before it could be published.",
}
# A container lives 24 hours; one about to end is not worth the race.
_CONTAINER_LIFE_S = 23 * 3600.0 + 50 * 60
_POLL_FIRST_S = 0.2
_POLL_MOST_S = 3.0
_POLL_LATER_S = 10.0
_POLL_LATER_MOST_S = 900.0
_DONE = frozenset({ContainerCode.FINISHED, ContainerCode.PUBLISHED, ContainerCode.ERROR, ContainerCode.EXPIRED})


def is_worn_out(publication: Publication) -> bool:
    """Whether the oldest container of the row is too old to be published."""
    return _age_s(publication) > _CONTAINER_LIFE_S


async def wait_done(
    work: Workbench, publication: Publication, content: Content, container_id: str
) -> ContainerStatus | Deferred:
    """Poll for a while, the first time; a status only once the platform has done with the container.

    A container that was not ready in its first seconds is looked at once per delivery, ever more rarely.

    Raises:
        InstagramError: it could not be read.
    """
    wait_s = _POLL_FIRST_S
    while True:
        status = await look(work, content, container_id)
        if status is not None and status.code in _DONE:
            return status
        is_known = status is None or status.code is ContainerCode.IN_PROGRESS
        if not is_known or _age_s(publication) + wait_s > work.poll_in_worker_s:
            return processing(publication)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 1.5, _POLL_MOST_S)


def is_done(status: ContainerStatus | None) -> bool:
    """Whether the platform has done with the container, one way or the other."""
    return status is not None and status.code in _DONE


async def look(work: Workbench, content: Content, container_id: str) -> ContainerStatus | None:
    """The container's state; None where the platform says nothing about it yet.

    Raises:
        InstagramError: it could not be read.
    """
    try:
        return await work.graph.container_status(content.account, container_id)
    except GraphError as error:
        if says_nothing(error):
            return None
        raise


def judge_ended(status: ContainerStatus) -> Failed | Retry | None:
    """What it means that a container ended unpublished; None if it did not."""
    match status.code:
        case ContainerCode.ERROR:
            return judge_container(status)
        case ContainerCode.EXPIRED:
            return Retry(reason="container_expired", fault=EXPIRED, drop_container=True)
        case _:
            return None


def processing(publication: Publication) -> Deferred:
    """The wait for a container that is not ready: the older it is, the longer."""
    delay_s = min(max(_age_s(publication) / 4, _POLL_LATER_S), _POLL_LATER_MOST_S)
    return Deferred(reason=PROCESSING, delay_s=delay_s)


def _age_s(publication: Publication) -> float:
    created_at = publication.container_created_at
    return publication.age_s(created_at) if created_at else 0.0
