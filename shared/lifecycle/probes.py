"""The internal port of every service: is it alive, can it serve, what does it measure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler

from shared.errors import InstaDistroError
from shared.lifecycle.checks import Check, ask
from shared.lifecycle.watch import watch_dependencies


@asynccontextmanager
async def serve_probes(*, host: str, port: int, checks: Mapping[str, Check]) -> AsyncIterator[None]:
    """Serve `/healthz`, `/readyz` and `/metrics` while the context lasts.

    `/healthz` says only that the event loop turns: a dependency that is away is no reason to restart a process.
    `/readyz` asks every check, 2 s each at most, and answers 503 with the ones that failed. They are also asked every
    5 s for the metric `instadistro_dependency_up`.

    Raises:
        InstaDistroError: the port is taken. Choose another one.
    """
    app = web.Application()
    add_probes(app, checks)
    app.router.add_get("/metrics", make_aiohttp_handler())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise InstaDistroError(
                f"port {port} on {host} cannot be used: {error.strerror}. Choose another one."
            ) from error
        async with watch_dependencies(checks):
            yield
    finally:
        await runner.cleanup()


def add_probes(app: web.Application, checks: Mapping[str, Check]) -> None:
    """Add `/healthz` and `/readyz` to an application."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        names = list(checks)
        answers = await asyncio.gather(*(ask(checks[name]) for name in names))
        failed = {name: answer for name, answer in zip(names, answers, strict=True) if answer is not None}
        body = {"status": "unavailable" if failed else "ok", "failed": failed}
        return web.json_response(body, status=503 if failed else 200)

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
