"""A private Redis: a cache, so it keeps nothing on disk; password, own port, loopback only."""

from __future__ import annotations

import re
from pathlib import Path

from redis.asyncio import Redis

from deploy.local.instance import Instance
from deploy.local.part import Part
from deploy.local.ports import LOOPBACK

_PROBE_DEADLINE_S = 2.0
_PROBLEMS = re.compile(r"^\d+:[A-Z] .* # ")  # Redis marks warnings with a number sign


def redis_url(*, port: int, password: str, database: int = 0) -> str:
    """Where the private Redis of this port is reached."""
    return f"redis://:{password}@{LOOPBACK}:{port}/{database}"


def redis_part(*, instance: Instance, binary: Path, port: int, password: str) -> Part:
    """Describe the server."""
    directory = instance.directory / "redis"
    # In a file, since the arguments of a process can be read by everybody on the machine.
    settings = {
        "bind": LOOPBACK,
        "port": port,
        "protected-mode": "yes",
        "requirepass": password,
        "daemonize": "no",
        "dir": f'"{directory}"',
        "save": '""',
        "appendonly": "no",
        "maxmemory": "128mb",
        "maxmemory-policy": "allkeys-lru",
        "loglevel": "notice",
    }

    async def prepare() -> None:
        instance.server_directory("redis")
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        instance.write_private(directory / "redis.conf", text)

    async def probe() -> None:
        client = Redis(
            host=LOOPBACK,
            port=port,
            password=password,
            socket_timeout=_PROBE_DEADLINE_S,
            socket_connect_timeout=_PROBE_DEADLINE_S,
        )
        async with client:
            await client.ping()

    return Part(
        name="redis",
        command=(str(binary), str(directory / "redis.conf")),
        environment={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
        prepare=prepare,
        probe=probe,
        waits_for=f"its PONG on {LOOPBACK}:{port}",
        stop_deadline_s=10.0,
        account=instance.account,
        directory=directory,
        port=port,
        log_file=instance.logs / "redis.log",
        problems=_PROBLEMS,
    )
