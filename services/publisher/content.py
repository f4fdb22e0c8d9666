"""What the platform must be told of a claimed publication: whose it is, and what to make of the post."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from services.publisher.formats import Medium, Plan, plan_post
from services.publisher.workbench import Workbench
from shared.accounts import ACCOUNT_COLUMNS, ACCOUNT_JOINS, open_account
from shared.database import Row
from shared.errors import InstaDistroError
from shared.instagram import GraphAccount
from shared.publications import PostOptions, PostType, Publication

_CONTENT = f"""
    SELECT posts.type, posts.caption, posts.media_ids, posts.options,
           posts.overrides -> $2::text ->> 'caption' AS own_caption,
           (
               SELECT jsonb_object_agg(media.id, jsonb_build_object('kind', media.kind, 'key', media.key))
               FROM media
               WHERE media.user_id = posts.user_id
                 AND media.id = ANY(posts.media_ids || (posts.options ->> 'cover_media_id')::uuid)
           ) AS media,
           {ACCOUNT_COLUMNS}
    FROM posts
    JOIN accounts ON accounts.user_id = posts.user_id AND accounts.id = $3
    {ACCOUNT_JOINS}
    WHERE posts.user_id = $1 AND posts.id = $4
"""  # noqa: S608 - built of constants alone


class ContentGoneError(InstaDistroError):
    """The post's media or the account's token no longer exists. Only a person can put it back."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """Everything a try tells the platform."""

    account: GraphAccount = field(repr=False)
    sealed_token: bytes = field(repr=False)  # as stored: tells whether the account has another one by now
    post_type: PostType
    caption: str  # as it will stand there: a live post is known again by it
    plan: Plan = field(repr=False)  # its media addresses are signed, from now


async def read_content(work: Workbench, publication: Publication) -> Content:
    """Read it as it stands now.

    Raises:
        ContentGoneError: something of it was deleted.
        TokenUnreadableError: the key ring does not open the account's token, or its proxy's credentials.
    """
    row = await work.pool.fetchrow(
        _CONTENT, publication.user_id, str(publication.account_id), publication.account_id, publication.post_id
    )
    if row is None:
        raise ContentGoneError("the post or the account's token is gone; restore it, then retry")
    post_type = PostType(row["type"])
    caption = _caption(row, post_type)
    return Content(
        sealed_token=row["sealed"],
        account=open_account(row, work.cipher, user_id=publication.user_id, account_id=publication.account_id),
        post_type=post_type,
        caption=caption,
        plan=_plan(work, row, post_type, caption),
    )


def _caption(row: Row, post_type: PostType) -> str:
    if post_type is PostType.STORY:
        return ""  # the platform takes none
    own_caption = row["own_caption"]
    return str(row["caption"] if own_caption is None else own_caption)


def _plan(work: Workbench, row: Row, post_type: PostType, caption: str) -> Plan:
    options = msgspec.json.decode(row["options"], type=PostOptions)
    stored = json.loads(row["media"] or "{}")

    def medium(media_id: UUID) -> Medium:
        found = stored.get(str(media_id))
        if found is None:
            raise ContentGoneError(f"the medium {media_id} of the post is gone; upload it again and change the post")
        return Medium(kind=found["kind"], url=work.media_urls.address(found["key"]))

    return plan_post(
        post_type,
        caption=caption,
        media=[medium(media_id) for media_id in row["media_ids"]],
        cover=medium(options.cover_media_id) if options.cover_media_id else None,
        options=options,
    )
