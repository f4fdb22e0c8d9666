"""The platform's clients as a service opens them: each on a session of its own, every call measured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared import metrics
from shared.errors import InstaDistroError
from shared.instagram.client import GraphClient
from shared.instagram.oauth import OAuthClient
from shared.instagram.usage import Watch
from shared.instagram.wire import open_graph_session
from shared.settings import Settings

_OAUTH_CONNECTIONS = 8  # a person waits at each, and few do at once


class AppUnknownError(InstaDistroError):
    """No app is configured, so that no account can be connected through OAuth. Set its id and secret."""


@asynccontextmanager
async def open_graph_client(
    settings: Settings, *, connections: int, watch: Watch | None = None
) -> AsyncIterator[GraphClient]:
    """A client for as long as the context lasts.

    Args:
        settings: where the platform is, and the deadlines of its calls.
        connections: most at a time; give at least one to each slot, so that no call waits for another's.
        watch: told of each exchange and of the usage that the platform reported.
    """
    async with open_graph_session(connections=connections) as session:
        yield GraphClient(
            session,
            base_url=settings.instagram_graph_url,
            version=settings.instagram_api_version,
            deadline_s=settings.platform_deadline_s,
            publish_deadline_s=settings.publish_deadline_s,
            observe=_observe,
            watch=watch,
        )


@asynccontextmanager
async def open_oauth_client(settings: Settings, *, redirect_uri: str) -> AsyncIterator[OAuthClient]:
    """The app's side of OAuth for as long as the context lasts.

    Args:
        settings: the app, where the platform is, and the deadline of its calls.
        redirect_uri: where owners come back to, as it is registered with the app.

    Raises:
        AppUnknownError: the settings name no app.
    """
    if not settings.instagram_app_id or not settings.instagram_app_secret:
        raise AppUnknownError("set INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET to connect accounts")
    async with open_graph_session(connections=_OAUTH_CONNECTIONS) as session:
        yield OAuthClient(
            session,
            base_url=settings.instagram_graph_url,
            app_id=settings.instagram_app_id,
            app_secret=settings.instagram_app_secret,
            redirect_uri=redirect_uri,
            deadline_s=settings.platform_deadline_s,
            observe=_observe,
        )


def _observe(operation: str, outcome: str, seconds: float) -> None:
    metrics.platform_request_seconds.labels(operation=operation, outcome=outcome).observe(seconds)
