"""Containers: made from a URL, ready after a while, gone after a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from deploy.emulator.call import Call, no_such_object
from deploy.emulator.captions import check_alt_text, check_caption
from deploy.emulator.errors import (
    INVALID_PARAMETER,
    QUOTA_REACHED,
    UNKNOWN_MEDIA_TYPE,
    GraphError,
)
from deploy.emulator.fetching import fetch_image
from deploy.emulator.fields import project
from deploy.emulator.inspection import FEED_IMAGE, MediaRules
from deploy.emulator.state import WINDOW, Container

CONTAINERS_PER_DAY = 400

# What `media_type` asks for; a feed image is what comes without one.
_FORMATS: dict[str, MediaRules] = {"": FEED_IMAGE, "IMAGE": FEED_IMAGE}
_TRUE = frozenset({"true", "1"})
_FIELDS = frozenset({"id", "status_code", "status", "copyright_check_status", "video_status"})
_STATUS_TEXT = {
    "IN_PROGRESS": "In Progress: Media is still being processed.",
    "FINISHED": "Finished: Media has been uploaded and it is ready to be published.",
    "PUBLISHED": "Published: Media has been already published.",
    "EXPIRED": "Expired: The media was not published within 24 hours.",
}


async def create_container(call: Call) -> dict[str, Any]:
    """POST /{ig-user-id}/media.

    Raises:
        GraphError: bad parameters, too many containers, or (with `media_errors: at_creation`) an unusable image.
    """
    call.require_own_account()
    container = _parse(call)
    _take_one_of_the_day(call)
    if call.options.media_errors == "at_creation":
        container = await _fetched(call, container)
        call.world.add_container(container)
    else:
        call.world.add_container(container)
        call.emulator.spawn(_fetch_later(call, container))
    call.container_id = container.id
    return {"id": container.id}


def _parse(call: Call) -> Container:
    params = call.params
    media_type = params.get("media_type", "")
    rules = _FORMATS.get(media_type)
    if rules is None or params.get("is_carousel_item", "").lower() in _TRUE:
        raise GraphError(UNKNOWN_MEDIA_TYPE, "The emulator carries single feed images; leave media_type out")
    if not params.get("image_url"):
        raise GraphError(INVALID_PARAMETER, "The parameter image_url is required")
    check_caption(params.get("caption", ""))
    check_alt_text(params.get("alt_text", ""))
    return Container(
        id=call.world.new_id(),
        ig_user_id=call.account.ig_user_id,
        image_url=params["image_url"],
        caption=params.get("caption", ""),
        alt_text=params.get("alt_text", ""),
        rules=rules,
        created_at=call.now(),
    )


def _take_one_of_the_day(call: Call) -> None:
    now = call.now()
    if call.activity.containers_within_a_day(now) >= CONTAINERS_PER_DAY:
        # The platform's code for this is not known; this one tells a client to wait, which is the cure.
        raise GraphError(QUOTA_REACHED, f"More than {CONTAINERS_PER_DAY} containers in 24 hours")
    call.activity.created_at.append(now)


async def _fetched(call: Call, container: Container) -> Container:
    image = await fetch_image(
        call.emulator.session,
        container.image_url,
        inspector=call.emulator.inspector,
        rules=container.rules,
        deadline_s=call.options.fetch_deadline_s,
    )
    return replace(container, image=image, ready_at=call.now() + timedelta(seconds=call.options.processing_s))


async def _fetch_later(call: Call, container: Container) -> None:
    try:
        container = await _fetched(call, container)
    except GraphError as error:
        container = replace(container, error=error.kind)
    if container.id in call.world.containers:
        call.world.containers[container.id] = container


def status_code(container: Container, now: datetime) -> str:
    """Where a container stands: IN_PROGRESS, FINISHED, PUBLISHED, ERROR or EXPIRED."""
    if container.published:
        return "PUBLISHED"
    if container.error is not None:
        return "ERROR"
    if now >= container.created_at + WINDOW:
        return "EXPIRED"
    if container.ready_at is None or now < container.ready_at:
        return "IN_PROGRESS"
    return "FINISHED"


def own_container(call: Call, container_id: str) -> Container:
    """The container of this id if it is the calling account's.

    Raises:
        GraphError: there is none, or it is another account's.
    """
    container = call.world.containers.get(container_id)
    if container is None or container.ig_user_id != call.account.ig_user_id:
        raise no_such_object(container_id)
    return container


async def get_container(call: Call) -> dict[str, Any]:
    """GET /{container-id}.

    Raises:
        GraphError: no such container of this account, or an unknown field.
    """
    call.container_id = call.node
    container = own_container(call, call.node)
    code = status_code(container, call.now())
    if container.error is not None:
        number = container.error.subcode or container.error.code
        status = f"Error: Media upload has failed with error code {number}"
    else:
        status = _STATUS_TEXT[code]
    node = {"id": container.id, "status_code": code, "status": status}
    return project(node, known=_FIELDS, fields=call.params.get("fields"), node_type="IGMediaBuilder")
