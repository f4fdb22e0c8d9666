"""What a client may read of an account and its posts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from deploy.emulator.call import Call, no_such_object
from deploy.emulator.fields import project
from deploy.emulator.paging import Page, cursor, page_limit, page_of
from deploy.emulator.state import Account, Media

_MEDIA_FIELDS = frozenset(
    {
        "id",
        "caption",
        "media_type",
        "media_product_type",
        "media_url",
        "thumbnail_url",
        "permalink",
        "shortcode",
        "timestamp",
        "username",
        "owner",
        "like_count",
        "comments_count",
        "is_comment_enabled",
        "is_shared_to_feed",
        "alt_text",
        "media_audio_type",
        "is_ai_generated",
        "children",
        "copyright_check_information",
    }
)
_ACCOUNT_FIELDS = frozenset(
    {
        "id",
        "user_id",
        "username",
        "name",
        "account_type",
        "biography",
        "website",
        "profile_picture_url",
        "followers_count",
        "follows_count",
        "media_count",
        "has_profile_pic",
        "is_published",
    }
)


async def get_account(call: Call) -> dict[str, Any]:
    """GET /{ig-user-id} and GET /me, whose `id` is another one: the account as the application knows it.

    Raises:
        GraphError: another account's id, or an unknown field.
    """
    call.require_own_account()
    account = call.account
    node = {
        "id": account.app_scoped_id if call.node == "me" else account.ig_user_id,
        "user_id": account.ig_user_id,
        "username": account.username,
        "name": account.username,
        "account_type": "Business",
        "followers_count": 0,
        "follows_count": 0,
        "media_count": len(call.activity.media_ids),
        "has_profile_pic": False,
        "is_published": True,
    }
    return project(node, known=_ACCOUNT_FIELDS, fields=call.params.get("fields"), node_type="IGUser")


async def get_media(call: Call) -> dict[str, Any]:
    """GET /{media-id}.

    Raises:
        GraphError: no such post of this account, or an unknown field.
    """
    call.media_id = call.node
    media = call.world.media.get(call.node)
    if media is None or media.ig_user_id != call.account.ig_user_id:
        raise no_such_object(call.node)
    return _shown(media, call.account, call.params.get("fields"))


async def list_media(call: Call) -> dict[str, Any]:
    """GET /{ig-user-id}/media, newest first.

    Raises:
        GraphError: another account's id, an unknown field, a bad limit or cursor.
    """
    call.require_own_account()
    params = call.params
    page = page_of(
        call.activity.media_ids,
        limit=page_limit(params.get("limit")),
        after=params.get("after"),
        before=params.get("before"),
    )
    posts = [call.world.media[str(any_id)] for any_id in page.ids]
    data = [_shown(media, call.account, params.get("fields")) for media in posts]
    return {"data": data, "paging": _paging(call, page)} if data else {"data": data}


def _shown(media: Media, account: Account, fields: str | None) -> dict[str, Any]:
    node = {
        "id": media.id,
        "caption": media.caption or None,
        "media_type": media.rules.media_type,
        "media_product_type": media.rules.media_product_type,
        "media_url": media.image_url,
        "permalink": media.permalink,
        "shortcode": media.shortcode,
        "timestamp": media.published_at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "username": account.username,
        "owner": {"id": account.ig_user_id},
        "like_count": 0,
        "comments_count": 0,
        "is_comment_enabled": True,
        "alt_text": media.alt_text or None,
        "is_ai_generated": False,
    }
    return project(node, known=_MEDIA_FIELDS, fields=fields, node_type="IGMedia")


def _paging(call: Call, page: Page) -> dict[str, Any]:
    newest, oldest = cursor(page.ids[0]), cursor(page.ids[-1])
    paging: dict[str, Any] = {"cursors": {"before": newest, "after": oldest}}
    if page.has_older:
        paging["next"] = _page_url(call, after=oldest)
    if page.has_newer:
        paging["previous"] = _page_url(call, before=newest)
    return paging


def _page_url(call: Call, **place: str) -> str:
    kept = {name: text for name, text in call.params.items() if name in {"fields", "limit"}}
    # As on the platform, the URL opens by itself: it carries the token.
    query: dict[str, str] = {"access_token": call.account.access_token, **kept, **place}
    return f"{call.url}?{urlencode(query)}"
