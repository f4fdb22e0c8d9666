"""The gateway's composition: the one place that constructs its parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog

from services.api.app import create_app, readiness_checks
from services.api.deps import Deps
from services.api.events.feed import EventFeed
from services.api.events.listen import listen_to_events
from services.api.guards import Guards, open_guards
from services.api.http.listener import listen
from services.api.media.examine import Examiner
from services.api.media.media_store import open_media_store
from services.api.media.spool import Spool, spool_directory
from services.api.platform import Platform, open_platform
from services.api.upload_places import UploadPlaces
from shared.cache import CacheService, open_cache
from shared.database import Pool, create_pool
from shared.jobs import Sender
from shared.lifecycle import serve_probes
from shared.publications import note_broker_emptied
from shared.security import MediaUrls, TokenCipher, open_public_fetch
from shared.settings import Settings

log = structlog.get_logger()


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Serve the gateway until told to stop."""
    async with (
        open_deps(settings) as deps,
        listen_to_events(settings.amqp_url, feed=deps.events, cache=deps.cache),
        listen(create_app(deps), host=settings.bind_host, port=settings.api_port, drain_s=settings.drain_s) as port,
        serve_probes(host=settings.bind_host, port=settings.api_internal_port, checks=readiness_checks(deps)),
    ):
        log.info("api.serving", host=settings.bind_host, port=port)
        await stop.wait()


@asynccontextmanager
async def open_deps(settings: Settings) -> AsyncIterator[Deps]:
    """The routes' collaborators, closed at the end.

    Raises:
        NotReadyError: PostgreSQL does not answer. Start it, and this process again.
    """
    pool = await create_pool(settings.database_url, application_name="api")
    try:
        async with (
            open_cache(settings.redis_url) as cache,
            open_guards(settings, pool) as guards,
            open_platform(settings) as platform,
        ):
            deps = _deps(settings, pool, cache, guards, platform)
            try:
                yield deps
            finally:
                await deps.events.close()
                await deps.sender.close()
    finally:
        await pool.close()


def _deps(settings: Settings, pool: Pool, cache: CacheService, guards: Guards, platform: Platform) -> Deps:
    # The store comes first: it makes the directory that files are received in.
    media_store = open_media_store(settings.media_store)
    spool = Spool(spool_directory(settings.media_store))
    return Deps(
        settings=settings,
        pool=pool,
        cache=cache,
        guards=guards,
        events=EventFeed(pool),
        cipher=TokenCipher(settings.token_keys),
        platform=platform,
        media_store=media_store,
        media_urls=MediaUrls(settings.public_url, secret=settings.cursor_secret),
        spool=spool,
        examiner=Examiner(spool),
        media_places=UploadPlaces(),
        upload_places=UploadPlaces(),
        sender=Sender(settings.amqp_url, name="api-sender", on_missing=partial(note_broker_emptied, pool)),
        public_fetch=open_public_fetch(settings),
    )
