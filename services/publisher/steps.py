"""The platform's steps: create the container, wait until it is ready, publish it. Each goes on from what the row says.

The step that is about to be taken is committed before its call, so a worker that dies leaves a row that tells the next
one where to go on.
"""

from __future__ import annotations

from services.publisher.content import Content
from services.publisher.create import create
from services.publisher.effects import judge
from services.publisher.readiness import EXPIRED, is_worn_out, judge_ended, wait_done
from services.publisher.results import Deferred, Result, Retry
from services.publisher.send import resume_sent, send
from services.publisher.verify import confirm_published
from services.publisher.workbench import Workbench
from shared.instagram import ContainerCode, InstagramError
from shared.publications import Publication, Step


async def walk_steps(work: Workbench, publication: Publication, content: Content) -> Result:
    """Go on from wherever the row stands, as far as this try comes.

    Raises:
        ClaimLostError: another worker took over.
    """
    if publication.step is Step.PUBLISH_SENT:
        return await resume_sent(work, publication, content)
    if is_worn_out(publication):
        return Retry(reason="container_expired", fault=EXPIRED, drop_container=True)
    try:
        if publication.container_id is None:
            created = await create(work, publication, content)
            if not isinstance(created, Publication):
                return created
            publication = created
        not_ready = await _wait_ready(work, publication, content)
    except InstagramError as error:
        return judge(error)
    return not_ready or await send(work, publication, content)


async def _wait_ready(work: Workbench, publication: Publication, content: Content) -> Result | None:
    """None once the container can be published."""
    status = await wait_done(work, publication, content, publication.container_id or "")
    if isinstance(status, Deferred):
        return status
    if status.code is ContainerCode.PUBLISHED:
        return await confirm_published(work, publication, content)
    return judge_ended(status)
