"""What the steps of the publisher share: servers, clients and timings, built once in service.py."""

from __future__ import annotations

from dataclasses import dataclass

from services.publisher.leases import Leases
from shared.cache import CacheService
from shared.database import Pool
from shared.instagram import GraphClient, PlatformGate
from shared.security import MediaUrls, TokenCipher


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """Everything a try needs."""

    pool: Pool
    graph: GraphClient
    gate: PlatformGate  # who may call the platform now; it watches `graph`
    cipher: TokenCipher
    cache: CacheService
    leases: Leases
    media_urls: MediaUrls  # where the platform fetches media
    worker: str  # this process, as rows and attempts name it
    lease_s: float
    poll_in_worker_s: float
    publish_deadline_s: float
    rescue_after_s: float

    @property
    def settles_after_s(self) -> float:
        """How long after a publish call was sent its effect must show: no call and no claim outlives this."""
        return self.publish_deadline_s + self.lease_s
