"""The one irreversible call. Whatever is not a clear no is looked up before anything else is done."""

from __future__ import annotations

from services.publisher.content import Content
from services.publisher.effects import judge
from services.publisher.look_up import look_up
from services.publisher.progress import HaltedError, mark_publish_sent
from services.publisher.results import Deferred, Result
from services.publisher.verify import ResendAllowed, confirm_published, look_up_now
from services.publisher.workbench import Workbench
from shared.instagram import GraphError, GraphUnclearError, InstagramError
from shared.kill_points import kill_point
from shared.publications import Publication, Step


async def send(work: Workbench, publication: Publication, content: Content) -> Result:
    """Publish a container that is FINISHED.

    Raises:
        ClaimLostError: another worker took over; the call was not made.
    """
    try:
        publication = await mark_publish_sent(work, publication)
    except HaltedError:
        # Made once more, it was certain that the first call had no effect.
        return Deferred(reason="halted", delay_s=0.0, unsend=publication.step is Step.PUBLISH_SENT)
    kill_point("publisher.publish_committed")
    try:
        media_id = await work.graph.publish_container(content.account, publication.container_id or "")
    except InstagramError as error:
        if isinstance(error, GraphUnclearError) or (isinstance(error, GraphError) and error.may_be_live):
            return await look_up_now(work, publication, content, cause=error)
        return judge(error, unsend=True)
    kill_point("publisher.publish_answered")
    return await confirm_published(work, publication, content, media_id=media_id)


async def resume_sent(work: Workbench, publication: Publication, content: Content) -> Result:
    """Where a call was made whose effect is not known: look first.

    Raises:
        ClaimLostError: another worker took over; no call was made.
    """
    found = await look_up(work, publication, content)
    # The same container once more, never a new one: certain absence is the only thing that allows it.
    return await send(work, publication, content) if isinstance(found, ResendAllowed) else found
