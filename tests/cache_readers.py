"""Many readers of one value in a process of their own: `python -m tests.cache_readers REDIS_URL USER_ID READERS`.

For each line of its standard input they all read the key of that name at the same moment; then it prints how often a
value had to be loaded. It ends with its input.
"""

from __future__ import annotations

import asyncio
import sys

from shared.cache import CacheNamespace, CacheTTL, open_cache

LOAD_S = 0.1


async def main(url, user_id, readers):
    loads = 0

    async def load():
        nonlocal loads
        loads += 1
        await asyncio.sleep(LOAD_S)
        return "loaded"

    async with open_cache(url) as cache:

        async def read(name):
            key = cache.key(CacheNamespace.ACCOUNTS_LIST, user_id, name)
            assert await cache.get_or_set(key, load, CacheTTL.MEDIUM) == "loaded"

        say("ready")
        while name := (await asyncio.to_thread(sys.stdin.readline)).strip():
            loads = 0
            await asyncio.gather(*(read(name) for _ in range(readers)))
            say(loads)


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
