"""What every service's `__main__` does: settings, logs, event loop, signals."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import TypeAlias

import structlog
import uvloop

from shared import kill_points, metrics
from shared.errors import InstaDistroError, SettingsError
from shared.lifecycle.watch import watch_event_loop
from shared.logs import begin_logs, configure_logs
from shared.settings import Settings, load_settings

#: A service: runs with its settings until the event is set, then returns.
Serve: TypeAlias = Callable[[Settings, asyncio.Event], Awaitable[None]]

_EXIT_SETTINGS = 2
log = structlog.get_logger()


def run_process(service: str, serve: Serve, *, report: Callable[[], None]) -> None:
    """Run `serve` until SIGTERM or SIGINT, then exit; call `report` on each SIGUSR1.

    Exit status: 0 after an orderly stop, 1 after a failure (the log says which), 2 if the settings cannot be used.
    """
    as_json = begin_logs(service=service, environ=os.environ)
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        if as_json:
            log.critical("service.settings_wrong", error=str(error))
        else:
            print(f"{service}: {error}", file=sys.stderr)
        sys.exit(_EXIT_SETTINGS)
    configure_logs(service=service, level=settings.log_level, log_format=settings.log_format)
    kill_points.install(settings.kill_points_dir)
    metrics.build_info.labels(service, version("instadistro")).set(1)
    try:
        uvloop.run(_serve_until_signal(settings, serve, report))
    except* InstaDistroError as group:
        for leaf in _leaves(group):
            log.error("service.failed", error=str(leaf))
        sys.exit(1)


async def _serve_until_signal(settings: Settings, serve: Serve, report: Callable[[], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, report)
    log.info("service.starting", pid=os.getpid())
    async with watch_event_loop():
        await serve(settings, stop)
    log.info("service.stopped")


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    leaves: list[BaseException] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves
