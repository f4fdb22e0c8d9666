from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from deploy.emulator.accounts_file import load_accounts
from deploy.emulator.app import create_app
from deploy.emulator.options import Options
from shared.errors import InstaDistroError

_CALLS_END_WITHIN_S = 5.0


class EmulatorStartError(InstaDistroError):
    """The emulator cannot listen where it was told to. Choose another port, or stop what holds this one."""


async def run_emulator(
    *,
    port: int,
    host: str = "127.0.0.1",
    accounts_file: Path | None = None,
    options: Options | None = None,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the emulator until `stop` is set or the task is cancelled.

    Args:
        port: 0 takes a free one.
        host: the address to bind. The emulator has no door lock: keep it to loopback or a private network.
        accounts_file: accounts with the same ids and tokens after every restart, see `load_accounts`.
        options: where the platform leaves a choice.
        stop: set it to end the server; calls under way have 5 s.
        on_ready: told the server's URL once it answers.

    Raises:
        AccountsFileError: the file has faults; show them and stop.
        EmulatorStartError: the port is taken or not allowed; show it and stop.
    """
    app = create_app(load_accounts(accounts_file) if accounts_file else (), options=options)
    # No access log: tokens may stand in the query.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CALLS_END_WITHIN_S)
    await runner.setup()
    try:
        url = await _listen(runner, host=host, port=port)
        if on_ready is not None:
            on_ready(url)
        await (stop or asyncio.Event()).wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, *, host: str, port: int) -> str:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise EmulatorStartError(
            f"The emulator cannot listen on {host} port {port} ({reason}). Choose another port, or stop what holds it."
        ) from error
    bound = runner.addresses[0]
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{bound[1]}"
