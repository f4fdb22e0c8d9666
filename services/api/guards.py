"""What every request passes before its route: the check of its key, the limits, the age of the outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from services.api.http import Authenticator
from services.api.keys.note_use import noting_uses
from services.api.limits.outbox_age import OutboxAge
from services.api.limits.policy import policy
from services.api.limits.rate_limiter import RateLimiter
from services.api.limits.shared_buckets import SharedBuckets
from shared.database import Pool
from shared.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Guards:
    """One of each, for the whole process."""

    authenticator: Authenticator
    limiter: RateLimiter
    outbox_age: OutboxAge


@asynccontextmanager
async def open_guards(settings: Settings, pool: Pool) -> AsyncIterator[Guards]:
    """The guards for as long as the context lasts. Redis may be away, now or later."""
    async with AsyncExitStack() as opened:
        uses = await opened.enter_async_context(noting_uses(pool))
        authenticator = Authenticator(
            pool,
            pepper=settings.api_key_pepper,
            strangers=policy("address", settings.rate_limit_address_per_s),
            on_use=uses.note,
        )
        opened.push_async_callback(authenticator.close)
        shared = SharedBuckets(settings.redis_url)
        opened.push_async_callback(shared.close)
        await shared.greet()
        rates = {"key": settings.rate_limit_key_per_s, "tenant": settings.rate_limit_tenant_per_s}
        policies = [found for name, per_s in rates.items() if (found := policy(name, per_s)) is not None]
        outbox_age = OutboxAge(pool, most_s=settings.outbox_max_age_s)
        opened.push_async_callback(outbox_age.close)
        yield Guards(authenticator=authenticator, limiter=RateLimiter(shared, policies), outbox_age=outbox_age)
