"""The one call that makes a post live, and the quota it takes from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from deploy.emulator.call import Call
from deploy.emulator.carousels import require_usable
from deploy.emulator.containers import own_container
from deploy.emulator.error_table import INVALID_PARAMETER, QUOTA_REACHED, UNKNOWN_CREATION_ID
from deploy.emulator.errors import GraphError
from deploy.emulator.fields import field_names
from deploy.emulator.ids import shortcode
from deploy.emulator.state import WINDOW, Container, Media


async def media_publish(call: Call) -> dict[str, Any]:
    """POST /{ig-user-id}/media_publish. Checks and effect happen in one turn of the loop: nothing comes between.

    Raises:
        GraphError: no container to publish, not ready, expired, failed, published already, or no quota left.
    """
    call.require_own_account()
    now = call.now()
    container = _publishable(call, now)
    if call.activity.posts_since(now - WINDOW, now) >= call.options.quota_total:
        raise GraphError(QUOTA_REACHED)
    return {"id": _publish(call, container, now).id}


def _publishable(call: Call, now: datetime) -> Container:
    creation_id = call.required("creation_id")
    call.container_id = creation_id if creation_id in call.world.containers else None
    if call.container_id is None and creation_id not in call.world.media:
        raise GraphError(UNKNOWN_CREATION_ID)
    container = own_container(call, creation_id)
    if container.format.is_item:
        # Ours: the platform's answer is not known, and only a mistaken client asks.
        raise GraphError(INVALID_PARAMETER, "(#100) An item of a carousel cannot be published on its own")
    require_usable(call, container, now)
    for child in container.children:
        # Another carousel of the same items may have been published since. Their own day may end before the carousel's.
        current = call.world.containers.get(child.id, child)
        if current.published:
            require_usable(call, current, now)
    return container


def _publish(call: Call, container: Container, now: datetime) -> Media:
    items = tuple(_media(call, child, now) for child in container.children)
    media = _media(call, container, now, items)
    call.world.add_media(media)
    for used in (container, *container.children):
        if used.id in call.world.containers:
            call.world.containers[used.id] = replace(call.world.containers[used.id], published=True)
    call.activity.published_at.append(now)
    call.media_id = media.id
    return media


def _media(call: Call, container: Container, now: datetime, items: tuple[Media, ...] = ()) -> Media:
    media_id = call.world.new_id()
    code = shortcode(media_id)
    return Media(
        id=media_id,
        ig_user_id=container.ig_user_id,
        container_id=container.id,
        format=container.format,
        details=container.details,
        media_url=container.media_url,
        found=container.found,
        published_at=now,
        shortcode=code,
        permalink=f"{call.origin}/p/{code}/",
        children=items,
    )


async def content_publishing_limit(call: Call) -> dict[str, Any]:
    """GET /{ig-user-id}/content_publishing_limit.

    Raises:
        GraphError: an unknown field, or a `since` that is no time of the last 24 h.
    """
    call.require_own_account()
    now = call.now()
    values = {
        "quota_usage": call.activity.posts_since(_since(call, now), now),
        "config": {"quota_total": call.options.quota_total, "quota_duration": int(WINDOW.total_seconds())},
    }
    names = field_names(call.params.get("fields") or "quota_usage")
    for name in names:
        if name not in values:
            raise GraphError(INVALID_PARAMETER, f"(#100) Tried accessing nonexisting field ({name})")
    return {"data": [{name: values[name] for name in names}]}


def _since(call: Call, now: datetime) -> datetime:
    text = call.params.get("since")
    if text is None:
        return now - WINDOW
    age = (
        timedelta(seconds=now.timestamp() - int(text)) if text.isdecimal() and len(text) <= len("9999999999") else None
    )
    if age is None or age > WINDOW:
        raise GraphError(INVALID_PARAMETER, "(#100) since must be a UNIX timestamp of the last 24 hours")
    return now - age
