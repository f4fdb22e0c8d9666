"""Everything that the platform would refuse of a post, told at once."""

from __future__ import annotations

from collections.abc import Sequence

from services.api.http import Caller, Fault, ProblemError
from services.api.media.store import facts_of, find_all
from services.api.posts.check_caption import check_captions
from services.api.posts.check_media import check_media, named_media
from services.api.posts.check_options import check_options
from services.api.posts.content import Content
from shared.database import Connection


async def content_faults(connection: Connection, content: Content, *, caller: Caller) -> list[Fault]:
    """What is wrong with a post, its media included: those that were removed are not there."""
    rows = await find_all(connection, named_media(content.media_ids, content.options), user_id=caller.user_id)
    known = {media_id: facts_of(row) for media_id, row in rows.items()}
    captions = dict.fromkeys(check_captions(content, caller=caller))  # what is told of hidden accounts is the same
    return [*captions, *check_media(content, known), *check_options(content, known)]


def require_none(faults: Sequence[Fault]) -> None:
    """Go on only if nothing is wrong.

    Raises:
        ProblemError: with every fault; `not_found` if all of them are that.
    """
    if faults:
        only_unknown = all(fault.code == "not_found" for fault in faults)
        raise ProblemError("not_found" if only_unknown else "validation_failed", faults[0].message, errors=faults)
