"""What a client may read of an account and its posts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from deploy.emulator.call import Call, no_such_object
from deploy.emulator.fields import project
from deploy.emulator.figures import figure
from deploy.emulator.media_node import media_node
from deploy.emulator.paging import Page, cursor, page_limit, page_of
from deploy.emulator.state import Media

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
    account, is_me = call.account, call.node == "me"
    node = {
        "id": account.app_scoped_id if is_me else account.ig_user_id,
        "user_id": account.ig_user_id,
        "username": account.username,
        "name": account.username,
        "account_type": "Business" if call.options.answer_shape == "documented" else "BUSINESS",
        "followers_count": figure(account.ig_user_id, "followers"),
        "follows_count": figure(account.ig_user_id, "follows"),
        "media_count": len(call.activity.media_ids),
        "has_profile_pic": False,
        "is_published": True,
    }
    shown = project(node, known=_ACCOUNT_FIELDS, fields=call.params.get("fields"), node_type="IGUser")
    return {"data": [shown]} if is_me and call.options.answer_shape == "documented" else shown


async def get_media(call: Call) -> dict[str, Any]:
    """GET /{media-id}, of a post or an item of one.

    Raises:
        GraphError: no such post of this account, or an unknown field.
    """
    return media_node(call, own_media(call), call.params.get("fields"))


async def list_children(call: Call) -> dict[str, Any]:
    """GET /{media-id}/children: the items of a carousel, in their order.

    Raises:
        GraphError: no such post of this account, or an unknown field.
    """
    return {"data": [media_node(call, item, call.params.get("fields")) for item in own_media(call).children]}


async def list_media(call: Call) -> dict[str, Any]:
    """GET /{ig-user-id}/media, newest first, without stories.

    Raises:
        GraphError: another account's id, an unknown field, a bad limit or cursor.
    """
    call.require_own_account()
    return _listed(call, call.activity.media_ids)


async def list_stories(call: Call) -> dict[str, Any]:
    """GET /{ig-user-id}/stories of the last 24 h, newest first.

    Raises:
        GraphError: another account's id, an unknown field, a bad limit or cursor.
    """
    call.require_own_account()
    return _listed(call, call.world.live_stories(call.account.ig_user_id, call.now()))


def own_media(call: Call) -> Media:
    """The post that the path names.

    Raises:
        GraphError: there is none, or it is another account's.
    """
    call.media_id = call.node
    media = call.world.find_media(call.node)
    if media is None or media.ig_user_id != call.account.ig_user_id:
        raise no_such_object(call.node)
    return media


def _listed(call: Call, ids: Sequence[int]) -> dict[str, Any]:
    params = call.params
    page = page_of(ids, limit=page_limit(params.get("limit")), after=params.get("after"), before=params.get("before"))
    data = [media_node(call, call.world.media[str(any_id)], params.get("fields")) for any_id in page.ids]
    return {"data": data, "paging": _paging(call, page)} if data else {"data": data}


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
    query: dict[str, str] = {"access_token": call.access_token, **kept, **place}
    return f"{call.url}?{urlencode(query)}"
