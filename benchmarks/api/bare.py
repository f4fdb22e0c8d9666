"""A bare aiohttp server that answers a page of accounts: from Redis, byte for byte, or from PostgreSQL.

`GET /hit?key=` gives what lies in Redis under the key. `GET /miss?user=` runs the gateway's own statement and encodes
its rows. Nothing else is done: no keys, no limits, no log. It answers one JSON line with its port.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from uuid import UUID

import msgspec
import uvloop
from aiohttp import web
from redis.asyncio import Redis

from services.api.accounts import store
from shared.database import create_pool
from shared.pagination import build_cursor_query

_LIMIT = 50


async def _serve() -> None:
    redis = Redis.from_url(os.environ["REDIS_URL"])
    pool = await create_pool(os.environ["DATABASE_URL"], application_name="bare")

    async def hit(request: web.Request) -> web.Response:
        return web.Response(body=await redis.get(request.query["key"]), content_type="application/json")

    async def miss(request: web.Request) -> web.Response:
        sql, args = store.list_query(UUID(request.query["user"]))
        query = build_cursor_query(sql, None, _LIMIT)
        async with pool.acquire() as connection:
            rows = await connection.fetch(query.sql, *args, *query.params)
        body = {"data": [dict(row) for row in rows[:_LIMIT]], "has_more": len(rows) > _LIMIT}
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")

    app = web.Application()
    app.router.add_get("/hit", hit)
    app.router.add_get("/miss", miss)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()
    await pool.close()
    await redis.aclose()


if __name__ == "__main__":
    uvloop.run(_serve())
