from __future__ import annotations

from typing import Any

from aiohttp import web

from deploy.emulator.control.bodies import known_account
from deploy.emulator.runtime import Emulator
from deploy.emulator.state import Media


async def list_media(request: web.Request, emulator: Emulator) -> list[dict[str, Any]]:
    """GET /_emulator/media: everything that was published and is remembered, oldest first; ended stories too.

    A container that was published twice is there twice.

    Raises:
        RefusedError: there is no such account.
    """
    world = emulator.world
    ig_user_id = known_account(world, request.query.get("ig_user_id"))
    return [_shown(media) for media in world.media.values() if ig_user_id in {None, media.ig_user_id}]


def _shown(media: Media) -> dict[str, Any]:
    is_video = media.format.media_type == "VIDEO"
    found = media.found
    return {
        "id": media.id,
        "ig_user_id": media.ig_user_id,
        "container_id": media.container_id,
        "kind": media.format.name,
        "media_type": media.format.media_type,
        "media_product_type": media.format.product,
        "caption": media.details.caption,
        "timestamp": media.published_at,
        "permalink": media.permalink,
        "image_url": None if is_video else media.media_url,
        "video_url": media.media_url if is_video else None,
        "bytes": found.bytes if found else None,
        "width": found.width if found else None,
        "height": found.height if found else None,
        "duration_ms": found.duration_ms if found else None,
        "details": media.details,
        "children": [_shown(item) for item in media.children],
    }
