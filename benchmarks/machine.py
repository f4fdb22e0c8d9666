"""Where figures come from: without it they mean nothing to anybody else."""

from __future__ import annotations

import asyncio
import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from benchmarks.servers import Servers, broker_version, redis_version
from benchmarks.subjects import Subject

_DEADLINE_S = 30.0
_OURS = ("aio-pika", "aiormq", "asyncpg", "msgspec", "redis", "uvloop")
_ASK_VERSIONS = (
    "import json, sys; from importlib.metadata import version; "
    "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
)


async def machine_facts(servers: Servers, subjects: Sequence[Subject]) -> dict[str, Any]:
    """Cores, load and versions at this moment."""
    connection = await asyncpg.connect(servers.database, timeout=_DEADLINE_S)
    try:
        postgres = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_1m": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "rabbitmq": await broker_version(servers),
        "redis_server": await redis_version(servers),
        "postgresql": str(postgres),
        "packages": {name: version(name) for name in _OURS} | await _rival_versions(subjects),
    }


async def _rival_versions(subjects: Sequence[Subject]) -> dict[str, str]:
    rivals = [(subject.python, subject.package) for subject in subjects if subject.package is not None]
    if not rivals:
        return {}
    python, packages = rivals[0][0], [package for _, package in rivals]
    process = await asyncio.create_subprocess_exec(
        str(python), "-P", "-c", _ASK_VERSIONS, *packages, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(_DEADLINE_S):
        said, _ = await process.communicate()
    versions: dict[str, str] = json.loads(said)
    return versions


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
