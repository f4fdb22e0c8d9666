"""The platform as the gateway speaks to it: for what somebody waits at, and for connecting accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from shared.instagram import (
    AppUnknownError,
    GraphClient,
    OAuthClient,
    PlatformGate,
    open_gate,
    open_graph_client,
    open_oauth_client,
)
from shared.settings import Settings

#: Where an owner comes back to from the platform's page; with PUBLIC_URL before it, it is registered with the app.
CALLBACK = "/v1/oauth/instagram/callback"
# A person waits at each call, and few do at once.
_CONNECTIONS = 16


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Clients of the platform."""

    graph: GraphClient
    gate: PlatformGate  # who may call the platform now; it watches `graph`
    oauth: OAuthClient | None  # None: no app is configured


@asynccontextmanager
async def open_platform(settings: Settings) -> AsyncIterator[Platform]:
    """The clients, for as long as the context lasts."""
    async with (
        open_gate(settings.redis_url) as gate,
        open_graph_client(settings, connections=_CONNECTIONS, watch=gate) as graph,
        AsyncExitStack() as opened,
    ):
        oauth: OAuthClient | None = None
        with suppress(AppUnknownError):
            redirect_uri = settings.public_url.rstrip("/") + CALLBACK
            oauth = await opened.enter_async_context(open_oauth_client(settings, redirect_uri=redirect_uri))
        yield Platform(graph=graph, gate=gate, oauth=oauth)
