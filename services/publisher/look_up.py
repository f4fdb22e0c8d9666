"""Whether a publication whose publish call may have been made is live: by its container, or after a restore without."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.publisher.content import Content
from services.publisher.results import Deferred, Fault, Published, Result, Unknown
from services.publisher.verify import LOOK_BACK, SKEW, ResendAllowed, judge_read, later, list_newest, strangers, verify
from services.publisher.workbench import Workbench
from shared.instagram import InstagramError, Media
from shared.publications import RESTORED, UNKNOWN_CONTAINER, PostType, Publication

# The platform lists a story for 24 hours.
_STORIES_LAST = timedelta(hours=23)


async def look_up(work: Workbench, publication: Publication, content: Content) -> Result | ResendAllowed:
    """Look for the post of a row at `publish_sent`, by what is known of it. Only reads."""
    if publication.container_id != UNKNOWN_CONTAINER:
        return await verify(work, publication, content)
    return await _find_restored(work, publication, content)


async def _find_restored(work: Workbench, publication: Publication, content: Content) -> Result:
    """Published if a post with its words appeared since the backup; from the beginning if certainly none did."""
    since = (publication.container_created_at or publication.read_at) - SKEW
    try:
        newest = await list_newest(work, content)
        alike = await strangers(work, content, newest, since=since)
    except InstagramError as error:
        return judge_read(work, publication, error)
    if alike and content.caption.strip():
        return Published(media_id=alike[0].id, permalink=alike[0].permalink)
    if publication.age_s(publication.publish_sent_at or publication.read_at) < work.settles_after_s:
        return later(work, publication, None)  # a call of before the restore may still be under way
    if alike:
        return Unknown(reason=RESTORED, fault=_fault("Without words nothing tells its post from another of its kind."))
    oldest_listed = publication.read_at - _STORIES_LAST
    if (content.post_type is PostType.STORY and since < oldest_listed) or not _reaches(newest, since):
        return Unknown(reason=RESTORED, fault=_fault("The platform does not list what appeared so long ago."))
    return Deferred(reason=RESTORED, delay_s=0.0, drop_container=True)


def _reaches(newest: list[Media], since: datetime) -> bool:
    """Whether the list holds all that appeared since then."""
    return len(newest) < LOOK_BACK or any(media.timestamp is not None and media.timestamp < since for media in newest)


def _fault(why: str) -> Fault:
    return {
        "operation": "verify",
        "class": "unknown",
        "message": f"The database was restored, and the post may have been published after the backup. {why} "
        "Look at the account in the app, then resolve the publication.",
    }
