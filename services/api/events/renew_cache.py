"""Invalidating once more what writers invalidate by themselves: one that dies after its commit leaves nothing stale."""

from __future__ import annotations

import asyncio
from uuid import UUID

from shared.cache import CacheService
from shared.lifecycle import repeat

# Of more accounts than this everything of their user is voided at once.
_ACCOUNTS_MAX = 20
_ACCOUNT = "account"
#: Kinds of events after which anything cached of the user may be old.
_USERS = frozenset({"group", "proxy", "protocol", "import"})
_EVERY_S = 60.0


class CacheRenewer:
    """Gathers what is announced, and voids it: however many events, each user is voided once in a turn."""

    def __init__(self, cache: CacheService) -> None:
        """Void in this cache."""
        self._cache = cache
        self._changed: dict[UUID, set[UUID]] = {}  # accounts by user
        self._users: set[UUID] = set()
        self._wake = asyncio.Event()

    def note(self, event_type: str, *, user_id: UUID, subject: UUID) -> None:
        """Something was announced."""
        kind = event_type.partition(".")[0]
        if kind in _USERS:
            self._users.add(user_id)
        elif kind == _ACCOUNT and user_id not in self._users:
            accounts = self._changed.setdefault(user_id, set())
            accounts.add(subject)
            if len(accounts) > _ACCOUNTS_MAX:
                self._users.add(user_id)
        else:
            return
        if user_id in self._users:
            self._changed.pop(user_id, None)
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Void what was noted, until told to stop."""
        await repeat(self.renew_once, name="renew_cache", every_s=_EVERY_S, stop=stop, wake=self._wake)

    async def renew_once(self) -> None:
        """Void what was noted until now."""
        users, changed = self._users, self._changed
        self._users, self._changed = set(), {}
        for user_id in users:
            await self._cache.invalidate_user(user_id)
        for user_id, accounts in changed.items():
            for account_id in accounts:
                await self._cache.invalidate_account(account_id, user_id=user_id)
