"""What the platform must be told of a claimed publication: whose it is, the picture's address, the words."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.publisher.workbench import Workbench
from shared.database import Row
from shared.errors import InstaDistroError
from shared.instagram import GraphAccount
from shared.publications import Publication
from shared.security import SealedToken

_CONTENT = """
    SELECT posts.caption, posts.overrides -> $2::text ->> 'caption' AS own_caption, media.key AS media_key,
           accounts.instagram_user_id, account_tokens.key_id, account_tokens.sealed
    FROM posts
    JOIN media ON media.user_id = posts.user_id AND media.id = posts.media_ids[1]
    JOIN accounts ON accounts.user_id = posts.user_id AND accounts.id = $3
    JOIN account_tokens ON account_tokens.user_id = accounts.user_id AND account_tokens.account_id = accounts.id
    WHERE posts.user_id = $1 AND posts.id = $4
"""
_SEALED = "SELECT sealed FROM account_tokens WHERE user_id = $1 AND account_id = $2"


class ContentGoneError(InstaDistroError):
    """The post's media or the account's token no longer exists. Only a person can put it back."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """Everything a try tells the platform."""

    account: GraphAccount = field(repr=False)
    sealed_token: bytes = field(repr=False)  # as stored: tells whether the account has another one by now
    image_url: str
    caption: str


async def read_content(work: Workbench, publication: Publication) -> Content:
    """Read it as it stands now.

    Raises:
        ContentGoneError: something of it was deleted.
        TokenUnreadableError: the key ring does not open the account's token.
    """
    row = await work.pool.fetchrow(
        _CONTENT, publication.user_id, str(publication.account_id), publication.account_id, publication.post_id
    )
    if row is None:
        raise ContentGoneError("the post's media or the account's token is gone; restore it, then retry")
    own_caption = row["own_caption"]
    return Content(
        sealed_token=row["sealed"],
        account=GraphAccount(ig_user_id=row["instagram_user_id"], access_token=_token(work, publication, row)),
        image_url=f"{work.public_url}/media/{row['media_key']}",
        caption=row["caption"] if own_caption is None else own_caption,
    )


def _token(work: Workbench, publication: Publication, row: Row) -> str:
    sealed = SealedToken(key_id=row["key_id"], ciphertext=row["sealed"])
    return work.cipher.decrypt(
        sealed, user_id=publication.user_id, account_id=publication.account_id, column="access_token"
    )


async def has_new_token(work: Workbench, publication: Publication, content: Content) -> bool:
    """Whether the account has got another token since the content was read."""
    sealed = await work.pool.fetchval(_SEALED, publication.user_id, publication.account_id)
    return bool(sealed != content.sealed_token)
