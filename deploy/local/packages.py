"""Makes sure that the servers' programs are there: Debian's packages where this user may install them, else a sentence.

`make test` does it and prints one line.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Collection
from pathlib import Path

from deploy.local.binaries import POSTGRES_OLDEST, Binaries, find_binaries
from shared.errors import InstaDistroError

POSTGRES, REDIS, RABBITMQ, PROMETHEUS = "postgresql", "redis-server", "rabbitmq-server", "prometheus"
ALL = (POSTGRES, REDIS, RABBITMQ, PROMETHEUS)
_SCRIPT = Path(__file__).with_name("install_packages.sh")
_QUESTION_DEADLINE_S = 10
_LAST_LINES = 15


class PackagesMissingError(InstaDistroError):
    """Programs are missing and could not be installed. Install what the text names, or use Compose."""


def missing_packages(binaries: Binaries, wanted: Collection[str] = ALL) -> list[str]:
    """The Debian packages, out of `wanted`, whose programs were not found."""
    absent = {
        POSTGRES: binaries.postgres is None,
        REDIS: binaries.redis_server is None,
        RABBITMQ: binaries.rabbitmq_server is None or binaries.epmd is None,
        PROMETHEUS: binaries.prometheus is None or binaries.promtool is None,
    }
    return [name for name in ALL if name in wanted and absent[name]]


def ensure_binaries(
    wanted: Collection[str] = ALL,
    *,
    say: Callable[[str], None],
    find: Callable[[], Binaries] = find_binaries,
    privilege: Callable[[], list[str] | None] | None = None,
) -> Binaries:
    """Find the programs of the packages in `wanted`, installing those that are missing.

    Args:
        wanted: names of Debian packages, out of `ALL`.
        say: told what happens, a line at a time.
        find: looks for the programs.
        privilege: the command prefix that gives the right to install, None if this user has none.

    Raises:
        PackagesMissingError: not found and not installable here; its text is what the user has to do.
    """
    binaries = find()
    missing = missing_packages(binaries, wanted)
    if not missing:
        return binaries
    prefix = (privilege or install_privilege)()
    if prefix is None:
        raise PackagesMissingError(_advice(missing, "and this user cannot install them"))
    say(f"packages: {', '.join(missing)} missing; installing (this can take some minutes)")
    _install([*prefix, "/bin/sh", str(_SCRIPT), *missing], missing, say)
    binaries = find()
    still = missing_packages(binaries, wanted)
    if still:
        raise PackagesMissingError(_advice(still, "though apt-get reported success: its version may be too old"))
    say("packages: installed")
    return binaries


def install_privilege() -> list[str] | None:
    """What goes before a command that installs packages: nothing for root, sudo if it can work, None if nothing can."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    if _answers([sudo, "-n", "true"]):
        return [sudo, "-n"]
    return [sudo] if sys.stdin is not None and sys.stdin.isatty() else None


def _answers(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_QUESTION_DEADLINE_S, check=False)  # noqa: S603 - sudo itself
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _install(command: list[str], missing: list[str], say: Callable[[str], None]) -> None:
    """Run the installation; the script bounds its own time, as root's processes cannot be ended from here."""
    last: deque[str] = deque(maxlen=_LAST_LINES)
    with subprocess.Popen(  # noqa: S603 - our own script with names out of a fixed set
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            text = line.rstrip()
            last.append(text)
            if text.startswith("packages:"):
                say(text)
    if process.returncode != 0:
        raise PackagesMissingError(
            _advice(missing, f"and installing them failed with status {process.returncode}")
            + "\nThe last lines of apt-get:\n"
            + "\n".join(f"  {line}" for line in last)
        )


def _advice(missing: list[str], why: str) -> str:
    return (
        f"Needed on this machine: {', '.join(missing)} (PostgreSQL {POSTGRES_OLDEST} or newer), {why}.\n"
        f"Install with:\n  sudo apt-get install --no-install-recommends {' '.join(missing)}\n"
        "or run the system in containers instead:\n  docker compose up"
    )


def main() -> int:
    """Ensure every program and say where the servers' programs are."""
    try:
        binaries = ensure_binaries(say=lambda line: print(line, flush=True))
    except PackagesMissingError as error:
        print(error, file=sys.stderr)
        return 1
    found = (binaries.postgres, binaries.redis_server, binaries.rabbitmq_server, binaries.prometheus)
    print(f"servers: {', '.join(map(str, found))}")
    return 0
