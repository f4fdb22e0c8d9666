"""The ways into the platform. Instagram Login is the one there is; Facebook Login would be another value here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Flavour:
    """What differs between Meta's ways to reach an Instagram account: hosts, paths, fields, scopes."""

    name: str
    token_kind: Literal["instagram_user"]
    graph_url: str  # where the real API is
    authorize_url: str  # the page where an owner grants access
    code_url: str  # where the code of that page becomes a short-lived token
    exchange_path: str  # on the API's host, without a version: short-lived to long-lived
    exchange_grant: str
    refresh_path: str  # the same: long-lived to a longer one
    refresh_grant: str
    account_fields: tuple[str, ...]  # of `/me`
    publish_scopes: tuple[str, ...]  # without one of these nothing can be published
    insights_scopes: tuple[str, ...]


INSTAGRAM_LOGIN = Flavour(
    name="instagram_login",
    token_kind="instagram_user",  # noqa: S106 - a kind of token, not one
    graph_url="https://graph.instagram.com",
    authorize_url="https://www.instagram.com/oauth/authorize",
    code_url="https://api.instagram.com/oauth/access_token",
    exchange_path="/access_token",
    exchange_grant="ig_exchange_token",
    refresh_path="/refresh_access_token",
    refresh_grant="ig_refresh_token",
    account_fields=("user_id", "username", "name", "account_type", "followers_count", "media_count"),
    publish_scopes=("instagram_business_basic", "instagram_business_content_publish"),
    insights_scopes=("instagram_business_manage_insights",),
)


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """A flavour's addresses, on Meta's hosts or on a stand-in's."""

    api: str  # with the version
    authorize: str
    code: str
    exchange: str
    refresh: str


def endpoints_of(flavour: Flavour, *, graph_url: str, version: str) -> Endpoints:
    """Where to call.

    Args:
        flavour: the way into the platform.
        graph_url: scheme and host of the API. Where it is not Meta's, everything else is on the same host too, by the
            same paths: a stand-in is whole.
        version: first part of every path of the API, such as v25.0; empty for the app's default.
    """
    origin = graph_url.rstrip("/")
    is_meta = urlsplit(origin).hostname == urlsplit(flavour.graph_url).hostname
    return Endpoints(
        api="/".join(part for part in (origin, version.strip("/")) if part),
        authorize=flavour.authorize_url if is_meta else origin + urlsplit(flavour.authorize_url).path,
        code=flavour.code_url if is_meta else origin + urlsplit(flavour.code_url).path,
        exchange=origin + flavour.exchange_path,
        refresh=origin + flavour.refresh_path,
    )
