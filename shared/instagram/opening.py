"""The platform's client as a service opens it: a session of its own, every call measured, closed with the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared import metrics
from shared.instagram.client import GraphClient
from shared.instagram.wire import open_graph_session
from shared.settings import Settings


@asynccontextmanager
async def open_graph_client(settings: Settings, *, connections: int) -> AsyncIterator[GraphClient]:
    """A client for as long as the context lasts.

    Args:
        settings: where the platform is, and the deadlines of its calls.
        connections: most at a time; give at least one to each slot, so that no call waits for another's.
    """
    async with open_graph_session(connections=connections) as session:
        yield GraphClient(
            session,
            base_url=settings.instagram_graph_url,
            version=settings.instagram_api_version,
            deadline_s=settings.platform_deadline_s,
            publish_deadline_s=settings.publish_deadline_s,
            observe=_observe,
        )


def _observe(operation: str, outcome: str, seconds: float) -> None:
    metrics.platform_request_seconds.labels(operation=operation, outcome=outcome).observe(seconds)
