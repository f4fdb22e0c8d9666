"""What tests of the cache load, and under which key."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from shared.cache import CacheNamespace, CacheService


class Loader:
    """Counts its runs; each begins, and ends when it is told to."""

    def __init__(self, value="loaded"):
        self.value = value
        self.runs = 0
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self):
        self.runs += 1
        self.began.set()
        await self.may_end.wait()
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class Database:
    """One row that loaders read; a read can be held after it saw the row and before it returns."""

    def __init__(self, row="v0"):
        self.row = row
        self.reads = 0
        self.read = asyncio.Event()
        self.may_return = asyncio.Event()
        self.may_return.set()

    async def load(self):
        self.reads += 1
        row = self.row
        self.read.set()
        await self.may_return.wait()
        if isinstance(row, Exception):
            raise row
        return row


class Crowd:
    """Counts its runs and how many run at once, and says when that reaches `crowd`."""

    def __init__(self, value="loaded", crowd=1):
        self.value, self.crowd = value, crowd
        self.crowded = asyncio.Event()
        self.runs = self.running = self.most = 0
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self):
        self.runs += 1
        self.running += 1
        self.most = max(self.most, self.running)
        if self.running >= self.crowd:
            self.crowded.set()
        await self.may_end.wait()
        self.running -= 1
        return self.value


def list_key(user_id=None):
    """A key of accounts' lists, of a user of its own unless one is given."""
    return CacheService.key(CacheNamespace.ACCOUNTS_LIST, user_id or uuid4(), "active")


def of_lists(**counts):
    """What `seen` holds after so many reads of accounts' lists by result: `of_lists(hit=2)`."""
    return {(CacheNamespace.ACCOUNTS_LIST, name): count for name, count in counts.items()}
