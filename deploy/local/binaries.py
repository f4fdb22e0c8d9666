"""Where this machine keeps the programs of PostgreSQL, Redis, RabbitMQ and Prometheus."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

POSTGRES_OLDEST = 15
_ASK_DEADLINE_S = 10
# Debian's own entry point: it changes directory and account, and drops its arguments for anyone but root and rabbitmq.
_DEBIAN_WRAPPER = "rabbitmq-script-wrapper"


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """The programs found on this machine; None for one that is missing."""

    postgres: Path | None  # the directory of `postgres` and `initdb`
    redis_server: Path | None
    rabbitmq_server: Path | None  # the server's own script
    epmd: Path | None
    prometheus: Path | None
    promtool: Path | None  # comes with it; the tests of its rules need it


def find_binaries(*, root: Path = Path("/"), search_path: str | None = None) -> Binaries:
    """Look at the usual places below `root`, then on `search_path` (None: PATH and the system's directories)."""
    path = (
        search_path if search_path is not None else f"{os.environ.get('PATH') or ''}:/usr/local/bin:/usr/bin:/usr/sbin"
    )
    return Binaries(
        postgres=_postgres(root, path),
        redis_server=_which("redis-server", path),
        rabbitmq_server=_rabbitmq(root, path),
        epmd=_epmd(root, path),
        prometheus=_which("prometheus", path),
        promtool=_which("promtool", path),
    )


def postgres_directories(root: Path = Path("/")) -> dict[int, Path]:
    """Debian's PostgreSQL installations by major version."""
    found = {}
    for directory in root.glob("usr/lib/postgresql/*/bin"):
        if (
            directory.parent.name.isdecimal()
            and (directory / "postgres").is_file()
            and (directory / "initdb").is_file()
        ):
            found[int(directory.parent.name)] = directory
    return found


def _postgres(root: Path, path: str) -> Path | None:
    installed = postgres_directories(root)
    if installed and max(installed) >= POSTGRES_OLDEST:
        return installed[max(installed)]
    program = _which("postgres", path)
    if program is None or not program.with_name("initdb").is_file():
        return None
    return program.parent if postgres_version(program) >= POSTGRES_OLDEST else None


def postgres_version(program: Path) -> int:
    """The major version of a `postgres` program; 0 if it does not say."""
    try:
        answer = subprocess.run(  # noqa: S603 - a program found on this machine, asked for its version
            [str(program), "--version"], capture_output=True, text=True, timeout=_ASK_DEADLINE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    number = re.search(r"\b(\d+)(\.|beta|rc|devel|\s|$)", answer.stdout)
    return int(number[1]) if number else 0


def _rabbitmq(root: Path, path: str) -> Path | None:
    places = [
        directory
        for pattern in (
            "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
            "usr/local/lib/rabbitmq_server-*/sbin",
            "opt/rabbitmq*/sbin",
        )
        for directory in sorted(root.glob(pattern), key=_version_key, reverse=True)
    ]
    linked = _which("rabbitmq-server", path)
    candidates = [place / "rabbitmq-server" for place in places] + ([linked.resolve()] if linked else [])
    for script in candidates:
        if script.is_file() and script.name != _DEBIAN_WRAPPER and script.with_name("rabbitmq-env").is_file():
            return script
    return None


def _epmd(root: Path, path: str) -> Path | None:
    if _which("erl", path) is None:
        return None
    return _which("epmd", path) or max(root.glob("usr/lib/erlang/erts-*/bin/epmd"), key=_version_key, default=None)


def _which(name: str, path: str) -> Path | None:
    found = shutil.which(name, path=path)
    return Path(found) if found else None


def _version_key(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]
