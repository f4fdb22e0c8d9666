"""What the routes work with, handed to the application as one value."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from services.api.events.feed import EventFeed
from services.api.guards import Guards
from services.api.media.examine import Examiner
from services.api.media.media_store import MediaStore
from services.api.media.spool import Spool
from services.api.platform import Platform
from services.api.upload_places import UploadPlaces
from shared.cache import CacheService
from shared.database import Pool
from shared.jobs import Sender
from shared.security import MediaUrls, Origin, PublicFetch, TokenCipher
from shared.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Deps:
    """Collaborators, made once at start."""

    settings: Settings
    pool: Pool
    cache: CacheService
    guards: Guards
    events: EventFeed
    cipher: TokenCipher
    platform: Platform
    media_store: MediaStore
    media_urls: MediaUrls
    spool: Spool
    examiner: Examiner
    media_places: UploadPlaces
    upload_places: UploadPlaces
    sender: Sender  # to the broker, whose queues it counts
    public_fetch: PublicFetch | None  # None: the test is off

    @property
    def own_origin(self) -> Origin:
        """The one origin that may be private and still be fetched from: this system's own media."""
        return Origin.of(self.settings.public_url)


DEPS = web.AppKey("deps", Deps)
