"""A published post as the platform shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from deploy.emulator.call import Call
from deploy.emulator.fields import field_names, project, subfields
from deploy.emulator.figures import figure, is_told
from deploy.emulator.state import WINDOW, Media

_FIELDS = frozenset(
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


def media_node(call: Call, media: Media, fields: str | None) -> dict[str, Any]:
    """The asked fields of a post.

    Raises:
        GraphError: a field it does not have, or a list that cannot be read.
    """
    # Most reads of a run ask for the four fields by which a post is recognised.
    asked = fields or ""
    names = set(field_names(asked))
    node = _plain(media)
    if names - node.keys():
        node |= _rest(call, media)
    if "children" in names and media.children:
        inner = subfields(asked, "children")
        node["children"] = {"data": [media_node(call, item, inner) for item in media.children]}
    return project(node, known=_FIELDS, fields=fields, node_type="IGMedia")


def _plain(media: Media) -> dict[str, Any]:
    is_item = media.format.is_item
    return {
        "id": media.id,
        "caption": media.caption or None,
        "permalink": None if is_item else media.permalink,
        "timestamp": media.published_at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "media_type": media.format.media_type,
    }


def _rest(call: Call, media: Media) -> dict[str, Any]:
    now, details = call.now(), media.details
    is_story = media.format.product == "STORY"
    counts = {} if media.format.is_item or is_story else _counts(call, media, now)
    return counts | {
        "media_product_type": media.format.product,
        "media_url": None if is_story and now >= media.published_at + WINDOW else media.media_url,
        "thumbnail_url": _thumbnail(call, media),
        "shortcode": media.shortcode,
        "username": call.account.username,
        "owner": {"id": call.account.ig_user_id},
        "is_shared_to_feed": details.share_to_feed is not False if media.format.product == "REELS" else None,
        "alt_text": details.alt_text or None,
        "is_ai_generated": details.is_ai_generated,
    }


def _counts(call: Call, media: Media, now: datetime) -> dict[str, Any]:
    told = is_told(media, call.options, now)
    return {
        "like_count": figure(media.id, "likes") if told else 0,
        "comments_count": figure(media.id, "comments") if told else 0,
        "is_comment_enabled": True,
    }


def _thumbnail(call: Call, media: Media) -> str | None:
    if media.format.media_type != "VIDEO":
        return None
    return media.details.cover_url or f"{call.origin}/p/{media.shortcode}/thumbnail.jpg"
