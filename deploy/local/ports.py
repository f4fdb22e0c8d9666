"""The TCP ports of a system on one machine: the defaults, how to move them, and who holds one that is taken."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, fields

import psutil

from shared.errors import InstaDistroError, SettingsError

LOOPBACK = "127.0.0.1"
OFFSET_VARIABLE = "INSTADISTRO_PORT_OFFSET"
_HIGHEST = 65535
# Below the range the kernel takes outgoing connections from (from 32768 on Linux), so that it hands none of these out.
_TEST_RANGE = range(20_000, 32_000)
_TEST_BLOCK = 16


class PortsTakenError(InstaDistroError):
    """Ports this system needs belong to somebody else. Stop the holders named, or choose others as the text says."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """One port per listener; the field's name in upper case plus `_PORT` is its environment variable."""

    api: int = 8080
    api_internal: int = 9100
    scheduler_internal: int = 9101
    publisher_internal: int = 9102
    health_internal: int = 9103
    emulator: int = 8090
    postgres: int = 55432
    redis: int = 56379
    rabbitmq: int = 55672
    rabbitmq_management: int = 55673
    rabbitmq_metrics: int = 55692
    rabbitmq_distribution: int = 55674
    epmd: int = 55675
    prometheus: int = 59090

    def environment(self) -> dict[str, str]:
        """The same ports as environment variables, for child processes."""
        return {variable(name): str(getattr(self, name)) for name in NAMES}


NAMES = tuple(item.name for item in fields(Ports))


def variable(name: str) -> str:
    """The environment variable that sets the port called `name`."""
    return "EPMD_PORT" if name == "epmd" else f"{name.upper()}_PORT"


def read_ports(environ: Mapping[str, str], *, offset: int | None = None) -> Ports:
    """The ports a user asked for.

    Args:
        environ: the process environment; a port set there is taken as it is.
        offset: added to every default; None reads `INSTADISTRO_PORT_OFFSET`.

    Raises:
        SettingsError: a value is no port, or two listeners would share one; lists every fault.
    """
    faults: list[str] = []
    shift = _number(environ.get(OFFSET_VARIABLE) or "0", OFFSET_VARIABLE, faults) if offset is None else offset
    values: dict[str, int] = {}
    for item in fields(Ports):
        text = environ.get(variable(item.name))
        value = _number(text, variable(item.name), faults) if text else int(str(item.default)) + shift
        if not 1 <= value <= _HIGHEST:
            faults.append(f"{variable(item.name)} would be {value}; it must be from 1 to {_HIGHEST}")
        values[item.name] = value
    if not faults:
        faults = _shared(values)
    if faults:
        raise SettingsError(faults)
    return Ports(**values)


def check_free(ports: Ports, names: Iterable[str]) -> None:
    """Make sure that every port in `names` can be listened on.

    Raises:
        PortsTakenError: some cannot; the one message names each, its holder, and how to choose others.
    """
    taken = [name for name in names if not _can_listen(getattr(ports, name))]
    if not taken:
        return
    holders = _holders()
    lines = [
        f"  - {getattr(ports, name)} ({variable(name)}) is held by {holders.get(getattr(ports, name), _UNSEEN)}"
        for name in taken
    ]
    raise PortsTakenError(
        f"{len(taken)} port(s) this system needs are taken:\n"
        + "\n".join(lines)
        + "\nStop what holds them, or choose others: set the variable named, or move all of them"
        + f" with --port-offset N (or {OFFSET_VARIABLE}=N)."
    )


@contextmanager
def free_ports() -> Iterator[Ports]:
    """Ports nobody uses, for tests: until the context ends, no other caller on this machine is given the same ones."""
    candidates = list(_TEST_RANGE[::_TEST_BLOCK])
    random.SystemRandom().shuffle(candidates)
    for first in candidates:
        with ExitStack() as held:
            # The first port of a block stays bound as its lock; the others are only tried out.
            if _bind(first, held) and all(_can_listen(first + 1 + index) for index in range(len(NAMES))):
                yield Ports(**{name: first + 1 + index for index, name in enumerate(NAMES)})
                return
    raise PortsTakenError(f"No {_TEST_BLOCK} ports in a row are free from {_TEST_RANGE.start} to {_TEST_RANGE.stop}.")


_UNSEEN = "another user's process"


def _number(text: str, name: str, faults: list[str]) -> int:
    if text.removeprefix("-").isdecimal() and text.isascii():
        return int(text)
    faults.append(f"{name} must be a whole number, not {text!r}")
    return 1


def _shared(values: Mapping[str, int]) -> list[str]:
    users: dict[int, list[str]] = {}
    for name, value in values.items():
        users.setdefault(value, []).append(variable(name))
    return [f"{' and '.join(names)} are both {value}" for value, names in users.items() if len(names) > 1]


def _bind(port: int, held: ExitStack) -> bool:
    attempt = held.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)))
    # As servers do: remains of closed connections do not count, a listener does.
    attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        attempt.bind((LOOPBACK, port))
        attempt.listen(1)
    except OSError:
        return False
    return True


def _can_listen(port: int) -> bool:
    with ExitStack() as held:
        return _bind(port, held)


def _holders() -> dict[int, str]:
    """Who listens on which port, as far as this user may see."""
    try:
        listeners = [item for item in psutil.net_connections(kind="tcp") if item.status == psutil.CONN_LISTEN]
    except psutil.Error:
        return {}
    return {item.laddr.port: _process_name(item.pid) for item in listeners if item.laddr and item.pid}


def _process_name(pid: int) -> str:
    try:
        return f"pid {pid} ({psutil.Process(pid).name()})"
    except psutil.Error:
        return f"pid {pid}"
