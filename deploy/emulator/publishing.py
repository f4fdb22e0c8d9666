"""The one call that makes a post live, and the quota it takes from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from deploy.emulator.call import Call
from deploy.emulator.containers import own_container, status_code
from deploy.emulator.errors import (
    CONTAINER_EXPIRED,
    CONTAINER_FAILED,
    INVALID_PARAMETER,
    NOT_READY,
    QUOTA_REACHED,
    UNKNOWN_CREATION_ID,
    ErrorKind,
    GraphError,
)
from deploy.emulator.fields import field_names
from deploy.emulator.ids import shortcode
from deploy.emulator.inspection import InspectedImage
from deploy.emulator.state import WINDOW, Container, Media

_REFUSALS: dict[str, ErrorKind] = {
    "IN_PROGRESS": NOT_READY,
    "ERROR": CONTAINER_FAILED,
    "EXPIRED": CONTAINER_EXPIRED,
    # Ours, where the platform's answer is not known: the client has to look at the container, which says PUBLISHED.
    "PUBLISHED": NOT_READY,
}


async def media_publish(call: Call) -> dict[str, Any]:
    """POST /{ig-user-id}/media_publish. Checks and effect happen in one turn of the loop: nothing comes between.

    Raises:
        GraphError: no container to publish, not ready, expired, failed, published already, or no quota left.
    """
    call.require_own_account()
    container = _publishable(call)
    now = call.now()
    if call.activity.posts_since(now - WINDOW, now) >= call.options.quota_total:
        raise GraphError(QUOTA_REACHED)
    return {"id": _publish(call, container, now).id}


def _publishable(call: Call) -> Container:
    creation_id = call.params.get("creation_id")
    if not creation_id:
        raise GraphError(INVALID_PARAMETER, "The parameter creation_id is required")
    call.container_id = creation_id if creation_id in call.world.containers else None
    if call.container_id is None and creation_id not in call.world.media:
        raise GraphError(UNKNOWN_CREATION_ID)
    container = own_container(call, creation_id)
    status = status_code(container, call.now())
    twice = status == "PUBLISHED" and call.options.double_publish == "twice"
    if status != "FINISHED" and not twice:
        raise GraphError(_REFUSALS[status])
    return container


def _publish(call: Call, container: Container, now: datetime) -> Media:
    media_id = call.world.new_id()
    code = shortcode(media_id)
    media = Media(
        id=media_id,
        ig_user_id=container.ig_user_id,
        container_id=container.id,
        caption=container.caption,
        alt_text=container.alt_text,
        image_url=container.image_url,
        image=_image(container),
        rules=container.rules,
        published_at=now,
        shortcode=code,
        permalink=f"{call.origin}/p/{code}/",
    )
    call.world.add_media(media)
    call.world.containers[container.id] = replace(container, published=True)
    call.activity.published_at.append(now)
    call.media_id = media_id
    return media


def _image(container: Container) -> InspectedImage:
    if container.image is None:
        raise AssertionError("a container is FINISHED only once its image was inspected")
    return container.image


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
