"""The calls of the Graph API: where each stands in a path, what it needs, and who serves it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from deploy.emulator import containers, insights, oauth, publishing, reads
from deploy.emulator.call import Call
from deploy.emulator.state import World
from deploy.emulator.tokens import BASIC, INSIGHTS, PUBLISH

Handler = Callable[[Call], Awaitable[dict[str, Any]]]

UNKNOWN = "unknown"
_VERSION = re.compile(r"v\d{1,3}\.\d{1,2}")
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One call of the API."""

    serve: Handler
    permission: str | None = BASIC  # that the account must have granted
    by_code: bool = False  # no token opens it, but the code of a consent


ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        "create_container": Endpoint(serve=containers.create_container, permission=PUBLISH),
        "get_container": Endpoint(serve=containers.get_container),
        "media_publish": Endpoint(serve=publishing.media_publish, permission=PUBLISH),
        "content_publishing_limit": Endpoint(serve=publishing.content_publishing_limit, permission=PUBLISH),
        "list_media": Endpoint(serve=reads.list_media),
        "list_stories": Endpoint(serve=reads.list_stories),
        "list_children": Endpoint(serve=reads.list_children),
        "get_media": Endpoint(serve=reads.get_media),
        "get_account": Endpoint(serve=reads.get_account),
        "media_insights": Endpoint(serve=insights.media_insights, permission=INSIGHTS),
        "account_insights": Endpoint(serve=insights.account_insights, permission=INSIGHTS),
        "exchange_code": Endpoint(serve=oauth.exchange_code, permission=None, by_code=True),
        "exchange_token": Endpoint(serve=oauth.exchange_token),
        "refresh_token": Endpoint(serve=oauth.refresh_token),
    }
)
_FIXED = {
    ("POST", "oauth/access_token"): "exchange_code",
    ("GET", "access_token"): "exchange_token",
    ("GET", "refresh_access_token"): "refresh_token",
}
# By what stands behind the id.
_EDGES = {
    ("POST", "media"): "create_container",
    ("POST", "media_publish"): "media_publish",
    ("GET", "media"): "list_media",
    ("GET", "stories"): "list_stories",
    ("GET", "children"): "list_children",
    ("GET", "content_publishing_limit"): "content_publishing_limit",
}


def find_endpoint(world: World, method: str, path: str) -> tuple[str, str]:
    """The endpoint that a path means, with or without a version, and the id in it (or "me", or nothing)."""
    parts = path[1:].split("/")
    if _VERSION.fullmatch(parts[0]):
        del parts[0]
    fixed = _FIXED.get((method, "/".join(parts)))
    if fixed is not None:
        return fixed, ""
    node = parts[0] if parts else ""
    if not _NUMBER.fullmatch(node) and node != "me":
        return UNKNOWN, ""
    # POST takes no "me": seen refused, though some samples show it.
    if (node == "me" and method != "GET") or len(parts) > 2:  # noqa: PLR2004 - the id and its edge
        return UNKNOWN, node
    return _of_node(world, method, node, *parts[1:]), node


def _of_node(world: World, method: str, node: str, edge: str | None = None) -> str:
    is_media = world.find_media(node) is not None
    if edge == "insights" and method == "GET":
        return "media_insights" if is_media else "account_insights"
    if edge is not None:
        return _EDGES.get((method, edge), UNKNOWN)
    if method != "GET":
        return UNKNOWN
    if node in world.containers:
        return "get_container"
    return "get_media" if is_media else "get_account"
