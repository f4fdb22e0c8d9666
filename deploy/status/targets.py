"""Where the services are to be asked: on this machine, or at addresses that the user gives."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.local.own_parts import SERVICES
from deploy.local.ports import LOOPBACK, Ports
from shared.errors import SettingsError

BROKER = "rabbitmq"
_BROKER_PORT = 15692  # of the broker's own plugin, where nobody chose another
_DEFAULTS = {name: getattr(Ports(), f"{name}_internal") for name in SERVICES} | {BROKER: _BROKER_PORT}
_RESOLVE_DEADLINE_S = 3.0
_MOST_ADDRESSES = 64


@dataclass(frozen=True, kw_only=True)
class Target:
    """One process to ask."""

    name: str | None  # the service that is expected there; None: it tells itself
    host: str  # a name or an address
    port: int

    @property
    def where(self) -> str:
        """HOST:PORT."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def local_targets(ports: Ports) -> list[Target]:
    """The services and the broker of a system on this machine."""
    own = [Target(name=name, host=LOOPBACK, port=getattr(ports, f"{name}_internal")) for name in SERVICES]
    return [*own, Target(name=BROKER, host=LOOPBACK, port=ports.rabbitmq_metrics)]


async def targets_at(places: Sequence[str]) -> list[Target]:
    """The processes at `HOST` or `HOST:PORT`; a name with several addresses is several replicas.

    Without a port it is the one of the service that the host is named after (`scheduler`, `scheduler.posts.svc`), of
    any other host those of all four services.

    Raises:
        SettingsError: some of them are no HOST[:PORT]; correct them.
    """
    faults = [f"--at {place!r} is no HOST[:PORT]" for place in places if _split(place) is None]
    if faults:
        raise SettingsError(faults)
    wanted = [target for place in places for target in _expand(*(_split(place) or ("", None)))]
    found = await asyncio.gather(*(_resolve(target) for target in wanted))
    return list(dict.fromkeys(target for targets in found for target in targets))


def _split(place: str) -> tuple[str, int | None] | None:
    host, colon, port = place.rpartition(":")
    if not colon or (place.count(":") > 1 and not host.endswith("]")):  # no port; an IPv6 address has colons of its own
        host, port = place, ""
    host = host.removeprefix("[").removesuffix("]")
    if not host or any(letter in host for letter in "/@?# "):
        return None
    if not colon or not port:
        return (host, None) if not place.endswith(":") else None
    return (host, int(port)) if port.isdecimal() and 0 < int(port) <= 65535 else None  # noqa: PLR2004 - the last port


def _expand(host: str, port: int | None) -> list[Target]:
    name = host.partition(".")[0]
    named = name if name in _DEFAULTS else None
    if port is not None:
        by_port = {default: service for service, default in _DEFAULTS.items()}
        return [Target(name=named or by_port.get(port), host=host, port=port)]
    names = (named,) if named else SERVICES
    return [Target(name=each, host=host, port=_DEFAULTS[each]) for each in names]


async def _resolve(target: Target) -> list[Target]:
    """One target an address; the name itself where it has none, to be shown as what does not answer."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVE_DEADLINE_S):
            found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return [target]
    addresses = list(dict.fromkeys(str(address[4][0]) for address in found))[:_MOST_ADDRESSES]
    if len(addresses) <= 1 or target.host == "localhost":
        return [target]
    return [Target(name=target.name, host=address, port=target.port) for address in addresses]
