"""The Compose files as Compose reads them: each, and the production overlay laid over the other one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parents[1]
CORE = CHECKOUT / "docker-compose.yml"
OVERLAY = CHECKOUT / "docker-compose.production.yml"
# Lists that grow when files are merged; any other list takes the place of the one before it.
_ADDED = ("secrets", "volumes", "ports", "tmpfs", "networks", "cap_drop", "security_opt", "profiles")


class Reset:
    """`!reset`: what the file below says is dropped."""


class Override:
    """`!override`: takes the place of what the file below says."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!reset", lambda _loader, _node: Reset())
_Loader.add_constructor(
    "!override",
    lambda loader, node: Override(loader.construct_sequence(node, deep=True)),  # type: ignore[arg-type]
)


def read(file: Path) -> Any:
    """One file, its tags as the classes above."""
    return yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - derived from the safe one


def merged() -> Any:
    """Production: the overlay laid over the core."""
    return _merge(read(CORE), read(OVERLAY))


def plain(value: Any) -> Any:
    """Without tags, as the schema wants it."""
    if isinstance(value, Override):
        return value.value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if not isinstance(item, Reset)}
    return [plain(item) for item in value] if isinstance(value, list) else value


def _merge(below: Any, above: Any, name: str = "") -> Any:
    if isinstance(above, Override):
        return above.value
    if isinstance(below, dict) and isinstance(above, dict):
        both = {**below, **{key: _merge(below.get(key), item, key) for key, item in above.items()}}
        return {key: item for key, item in both.items() if not isinstance(item, Reset)}
    if isinstance(below, list) and isinstance(above, list) and name in _ADDED:
        return [*below, *(item for item in above if item not in below)]
    return above


def secret_files(container: Any) -> dict[str, str]:
    """Path inside the container -> name of the secret."""
    entries = container.get("secrets", [])
    long = {entry["target"]: entry["source"] for entry in entries if isinstance(entry, dict)}
    return {f"/run/secrets/{entry}": entry for entry in entries if isinstance(entry, str)} | long


def published(container: Any) -> list[tuple[str, str, str, int]]:
    """(address, variable, default port or ports on this machine, port in the container) of every published port."""
    found = []
    for port in container.get("ports", []):
        match = re.fullmatch(r"([\d.]+):\$\{(\w+):-([\d-]+)\}:(\d+)", port)
        assert match is not None, port
        found.append((match[1], match[2], match[3], int(match[4])))
    return found


def mounts(container: Any) -> dict[str, str]:
    """Path inside the container -> what of the checkout is mounted there."""
    pairs = [volume.split(":") for volume in container.get("volumes", [])]
    return {inside: source for source, inside, *_ in pairs if source.startswith("./")}
