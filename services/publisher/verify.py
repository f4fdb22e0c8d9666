"""After a publish call with no clear answer: find out whether the post is live. Only reads happen here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.publisher.content import Content
from services.publisher.effects import THROTTLED_DELAY_S, fault_of, judge
from services.publisher.readiness import look
from services.publisher.results import Deferred, Fault, Held, Published, Result, Retry, Unknown
from services.publisher.workbench import Workbench
from shared.instagram import (
    ContainerCode,
    ErrorClass,
    GraphError,
    InstagramError,
    Media,
)
from shared.publications import PostType, Publication

#: Clocks of the platform and of the database may differ by this much.
SKEW = timedelta(seconds=60)
#: So many of an account's newest posts are looked at.
LOOK_BACK = 50
_LOOK_AGAIN_S = 5.0
_LOOK_AGAIN_MOST_S = 900.0
# How long the id of a post that is certainly live is looked for.
_SEARCH_S = 3600.0
# The container is gone by then, and with it the last source of certainty.
_GIVE_UP_S = 24 * 3600.0
# The irreversible call is made at most this often for one container.
_MOST_SENDS = 2

# What the platform calls a post of each format where it lists them. A reel that is in the feed too stays a video.
_SHOWN_AS = {PostType.IMAGE: "IMAGE", PostType.CAROUSEL: "CAROUSEL_ALBUM", PostType.REEL: "VIDEO"}

# The platform's account, whichever tenants of this system act for it. Joined with the tenant, as its index is.
_KNOWN_MEDIA = """
    SELECT publications.media_id
    FROM publications
    JOIN accounts ON accounts.user_id = publications.user_id AND accounts.id = publications.account_id
    WHERE accounts.instagram_user_id = $1 AND publications.media_id = ANY($2::text[])
    UNION ALL
    SELECT publications_archive.media_id
    FROM publications_archive
    JOIN accounts ON accounts.user_id = publications_archive.user_id AND accounts.id = publications_archive.account_id
    WHERE accounts.instagram_user_id = $1 AND publications_archive.media_id = ANY($2::text[])
"""


@dataclass(frozen=True, kw_only=True)
class ResendAllowed:
    """The container is unpublished and nothing of it is live: it may be published once more."""


async def look_up_now(work: Workbench, publication: Publication, content: Content, *, cause: InstagramError) -> Result:
    """Right after an unclear answer: what can be seen at once.

    Args:
        work: servers and timings.
        publication: the row, at `publish_sent`.
        content: account, format and caption to look for.
        cause: what the publish call raised.
    """
    found = await verify(work, publication, content)
    if isinstance(found, Published):
        return found
    if isinstance(cause, GraphError) and cause.error_class is ErrorClass.SPAM_SUSPECTED:
        # Not live so far, and the platform asked this account to stop. The mark stays: a release looks again first.
        return judge(cause)
    return later(work, publication, fault_of(cause)) if isinstance(found, ResendAllowed) else found


async def verify(work: Workbench, publication: Publication, content: Content) -> Result | ResendAllowed:
    """Ask the container, then the account's list; conclude only what they prove. Only reads."""
    try:
        status = await look(work, content, publication.container_id or "")
        code = status.code if status else None
        if code is ContainerCode.PUBLISHED:
            return await confirm_published(work, publication, content)
        media = await _find_media(work, publication, content)
    except InstagramError as error:
        return judge_read(work, publication, error)
    if media is not None:
        return Published(media_id=media.id, permalink=media.permalink)
    if _age_s(publication) < work.settles_after_s:
        return later(work, publication, None)  # the call may still be under way: nothing is proven yet
    match code:
        case ContainerCode.ERROR | ContainerCode.EXPIRED:
            fault = {"operation": "verify", "class": code.value, "message": "The container ended unpublished."}
            return Retry(reason="container_lost", fault=fault, drop_container=True)
        case ContainerCode.FINISHED:
            return ResendAllowed() if publication.publish_sends < _MOST_SENDS else Unknown(fault=_absent())
        case _:
            return later(work, publication, None)


async def confirm_published(
    work: Workbench, publication: Publication, content: Content, *, media_id: str | None = None
) -> Result:
    """The post is live; find its media id and its link. The link is best effort, the id nearly so."""
    if media_id is not None:
        return Published(media_id=media_id, permalink=await _permalink(work, content, media_id))
    try:
        found = await _find_media(work, publication, content, live=True)
    except InstagramError:
        found = None
    if found is not None:
        return Published(media_id=found.id, permalink=found.permalink)
    if _age_s(publication) < _SEARCH_S:
        return Deferred(reason="verifying", delay_s=_grown(_age_s(publication)))
    return Published(media_id=None, permalink=None)


async def _permalink(work: Workbench, content: Content, media_id: str) -> str | None:
    try:
        return (await work.graph.media(content.account, media_id)).permalink
    except InstagramError:
        return None


async def _find_media(
    work: Workbench, publication: Publication, content: Content, *, live: bool = False
) -> Media | None:
    """This publication's post among the account's newest: alike, not before its container, nobody else's.

    Never simply the newest: another tool, or a person, may have posted since. Without a caption nothing tells our post
    from a stranger's, so then the list is asked only once the container has said that the post is `live`.
    """
    if not content.caption.strip() and not live:
        return None
    earliest = (publication.container_created_at or publication.read_at) - SKEW
    found = await strangers(work, content, await list_newest(work, content), since=earliest)
    return found[0] if found else None


async def strangers(work: Workbench, content: Content, newest: Sequence[Media], *, since: datetime) -> list[Media]:
    """Those of these posts that look like this one, appeared since then and are nobody else's; the oldest first."""
    matching = [
        media
        for media in reversed(newest)
        if media.timestamp is not None and media.timestamp >= since and _is_alike(media, content)
    ]
    rows = await work.pool.fetch(_KNOWN_MEDIA, content.account.ig_user_id, [media.id for media in matching])
    known = {row["media_id"] for row in rows}
    return [media for media in matching if media.id not in known]


async def list_newest(work: Workbench, content: Content) -> list[Media]:
    """The account's newest posts, the newest first; stories have a list of their own."""
    if content.post_type is PostType.STORY:
        return await work.graph.recent_stories(content.account, limit=LOOK_BACK)
    return await work.graph.recent_media(content.account, limit=LOOK_BACK)


def _is_alike(media: Media, content: Content) -> bool:
    """Of the same format, as far as the platform tells it, with the same words; a story's are not told."""
    if content.post_type is PostType.STORY:
        return True
    shown_as = _SHOWN_AS[content.post_type]
    return (media.media_type or shown_as) == shown_as and (media.caption or "").strip() == content.caption.strip()


def judge_read(work: Workbench, publication: Publication, error: InstagramError) -> Result:
    """A look that failed proves nothing: look again later, unless only the owner can make looking possible."""
    judged = judge(error)
    if isinstance(judged, Held):
        return judged
    throttled = isinstance(error, GraphError) and error.error_class is ErrorClass.THROTTLED
    return later(work, publication, fault_of(error), at_least_s=THROTTLED_DELAY_S if throttled else 0.0)


def later(work: Workbench, publication: Publication, fault: Fault | None, *, at_least_s: float = 0.0) -> Result:
    """Look again when the call's effect must show, and then ever more rarely."""
    age_s = _age_s(publication)
    if age_s > _GIVE_UP_S:
        return Unknown(fault=fault or _absent())
    rest_s = work.settles_after_s - age_s
    delay_s = rest_s if rest_s > 0 else _grown(age_s)
    return Deferred(reason="verifying", delay_s=max(delay_s, at_least_s), fault=fault)


def _grown(age_s: float) -> float:
    return min(max(age_s / 4, _LOOK_AGAIN_S), _LOOK_AGAIN_MOST_S)


def _age_s(publication: Publication) -> float:
    """Seconds since the last publish call, by the database's clock."""
    sent_at = publication.publish_sent_at or publication.container_created_at
    return publication.age_s(sent_at) if sent_at else 0.0


def _absent() -> Fault:
    return {
        "operation": "verify",
        "class": "unknown",
        "message": "The platform did not answer clearly, and the post is not in the account's list. "
        "Look at the account in the app, then resolve the publication.",
    }
