"""Which format the parameters of a new container ask for."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.emulator.details import read_flag
from deploy.emulator.error_table import INVALID_PARAMETER, UNKNOWN_MEDIA_TYPE
from deploy.emulator.errors import GraphError
from deploy.emulator.formats import CAROUSEL, IMAGE, ITEM_IMAGE, ITEM_VIDEO, REEL, STORY_IMAGE, STORY_VIDEO, Format

# Of (media_type, is an item of a carousel). VIDEO as a post of its own ended in 2023, and a reel cannot be an item.
_FORMATS: Mapping[tuple[str, bool], Format] = {
    ("", False): IMAGE,
    ("IMAGE", False): IMAGE,
    ("REELS", False): REEL,
    ("CAROUSEL", False): CAROUSEL,
    ("", True): ITEM_IMAGE,
    ("IMAGE", True): ITEM_IMAGE,
    ("VIDEO", True): ITEM_VIDEO,
}


def chosen_format(params: Mapping[str, str]) -> Format:
    """The format, its medium's URL being there.

    Raises:
        GraphError: there is no such media type, or a URL is missing or one too many.
    """
    media_type, is_item = params.get("media_type", ""), _is_item(params)
    if "upload_type" in params:
        raise _refused("Param upload_type is not supported with Instagram Login")
    if media_type == "STORIES" and not is_item:
        return _story(params)
    wanted = _FORMATS.get((media_type, is_item))
    if wanted is None:
        raise GraphError(UNKNOWN_MEDIA_TYPE)
    if wanted.rules is not None and not params.get(f"{wanted.rules.kind}_url"):
        raise _refused(f"The parameter {wanted.rules.kind}_url is required")
    return wanted


def _story(params: Mapping[str, str]) -> Format:
    has_image, has_video = bool(params.get("image_url")), bool(params.get("video_url"))
    if has_image == has_video:
        raise _refused("A story needs either image_url or video_url")
    return STORY_IMAGE if has_image else STORY_VIDEO


def _is_item(params: Mapping[str, str]) -> bool:
    text = params.get("is_carousel_item", "false")
    try:
        return read_flag(text)
    except ValueError as error:
        raise _refused(f"Param is_carousel_item {error}") from error


def _refused(reason: str) -> GraphError:
    return GraphError(INVALID_PARAMETER, f"(#100) {reason}")
