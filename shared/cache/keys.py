"""Names: what may be cached, for how long, under which key, and which generations void it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from urllib.parse import quote
from uuid import UUID

from shared.cache.errors import CacheKeyError

Part = str | int | UUID | None

_PREFIX = (
    "instadistro:cache:1"  # the number changes when cached shapes change, so that a new release never reads old ones
)
_PART_CHARS_MAX = 64
_PLAIN = re.compile(r"[\w.~-]{1,64}", re.ASCII)  # what escaping leaves as it is
ROOT_GENERATION = f"{_PREFIX}:gen:root"


class CacheTTL(IntEnum):
    """How long a value may be served, in seconds."""

    VERY_SHORT = 60  # live data
    SHORT = 300  # data that changes often
    MEDIUM = 900  # the ordinary case
    LONG = 3600  # data that changes rarely
    VERY_LONG = 86400  # reference data


class CacheNamespace(StrEnum):
    """What is cached. A key begins with the ids of its owners: the user, in `account` and `health` an account too."""

    ACCOUNT = "account"
    ACCOUNTS_LIST = "accounts:list"
    HEALTH = "health"
    HEALTH_SWARM = "health:swarm"
    SCHEDULE = "schedule"
    PROXY = "proxy"
    GROUP = "group"
    PROTOCOL = "protocol"


@dataclass(frozen=True, kw_only=True)
class _Ownership:
    owners: tuple[str, ...]  # whose ids a key begins with
    kinds: tuple[tuple[str, int], ...]  # kinds of generation, each with the position of the owner it belongs to


_USER, _ACCOUNT, _ACCOUNTS = "user", "account", "accounts"  # a user; an account; all accounts of a user
_NOBODYS = _Ownership(owners=(), kinds=())
_USERS = _Ownership(owners=("user",), kinds=((_USER, 0),))
_ABOUT_ACCOUNTS = _Ownership(owners=("user",), kinds=((_USER, 0), (_ACCOUNTS, 0)))
_ACCOUNTS_OWN = _Ownership(owners=("user", "account"), kinds=((_USER, 0), (_ACCOUNT, 1)))

# A dot, because "health" with the part "swarm" must not become a key of "health:swarm".
_NAMESPACE_PREFIX = {namespace: f"{_PREFIX}:{namespace.value.replace(':', '.')}" for namespace in CacheNamespace}
_OWNERSHIP: dict[CacheNamespace, _Ownership] = {
    CacheNamespace.ACCOUNT: _ACCOUNTS_OWN,
    CacheNamespace.ACCOUNTS_LIST: _ABOUT_ACCOUNTS,
    CacheNamespace.HEALTH: _ACCOUNTS_OWN,
    CacheNamespace.HEALTH_SWARM: _ABOUT_ACCOUNTS,
    CacheNamespace.SCHEDULE: _USERS,
    CacheNamespace.PROXY: _USERS,
    CacheNamespace.GROUP: _ABOUT_ACCOUNTS,
    CacheNamespace.PROTOCOL: _NOBODYS,  # reference data, the same for every tenant
}


@dataclass(frozen=True, kw_only=True)
class CacheKey:
    """Where a value lives and what voids it. Made by `cache_key`; equal parts make equal keys in every process."""

    namespace: CacheNamespace  # what it is, and its label in metrics
    text: str  # the key in Redis
    generations: tuple[str, ...]  # Redis keys of the generations a value is checked against; the root's is first


def cache_key(namespace: CacheNamespace, *parts: Part) -> CacheKey:
    """The key of one value.

    Args:
        namespace: what is cached.
        parts: first the owners' ids (`user_id` for a list; `user_id, account_id` for an account), then whatever else
            tells values apart: filters, page, limit. `1` and `"1"` are different; a UUID equals its text.

    Raises:
        CacheKeyError: an owner is missing or empty, or a part has another type. Correct the call.
    """
    ownership = _OWNERSHIP[namespace]
    count = len(ownership.owners)
    if len(parts) < count or not all(_is_id(part) for part in parts[:count]):
        raise CacheKeyError(f"A key of {namespace.value!r} begins with the ids of: {', '.join(ownership.owners)}.")
    ids = [_owner_text(part) for part in parts[:count]]
    rest = [_part_text(part) for part in parts[count:]]
    return CacheKey(
        namespace=namespace,
        text=":".join([_NAMESPACE_PREFIX[namespace], *ids, *rest]),
        generations=(ROOT_GENERATION, *(_generation(kind, ids[index]) for kind, index in ownership.kinds)),
    )


def user_generations(user_id: UUID | str) -> Sequence[str]:
    """What to renew when anything of a user changed."""
    return (_generation(_USER, _owner_text(user_id)),)


def account_generations(account_id: UUID | str, *, user_id: UUID | str | None) -> Sequence[str]:
    """What to renew when an account changed; without its user, everything, since nobody knows whose lists hold it."""
    if user_id is None:
        return (ROOT_GENERATION,)
    return (_generation(_ACCOUNT, _owner_text(account_id)), _generation(_ACCOUNTS, _owner_text(user_id)))


def lock_name(key: CacheKey, *, under: tuple[bytes, ...]) -> str:
    """What a process holds in Redis while it loads a value under these generations.

    Under others it is another lock: who comes after an invalidation never waits for a load from before it.
    """
    seen = b"\0".join([key.text.encode(), *under])
    return f"{_PREFIX}:lock:{hashlib.blake2b(seen, digest_size=16).hexdigest()}"


def redis_pattern(pattern: str) -> str:
    """The Redis form of a pattern such as `accounts:list:*`.

    Raises:
        CacheKeyError: the pattern does not begin with a namespace and a colon. Name one; nothing else may be swept.
    """
    for namespace in sorted(CacheNamespace, key=len, reverse=True):
        if pattern.startswith(f"{namespace.value}:"):
            return f"{_NAMESPACE_PREFIX[namespace]}{pattern.removeprefix(namespace.value)}"
    names = ", ".join(namespace.value for namespace in CacheNamespace)
    raise CacheKeyError(f"The pattern {pattern!r} must begin with one of these and a colon: {names}.")


def _generation(kind: str, owner: str) -> str:
    return f"{_PREFIX}:gen:{kind}:{owner}"


def _is_id(part: Part) -> bool:
    return isinstance(part, UUID) or (isinstance(part, str) and bool(part))


def _owner_text(owner: Part) -> str:
    # Hexadecimal has two spellings and a generation must have one, or an invalidation would miss the other's values.
    return _part_text(str(owner).lower())


def _part_text(part: Part) -> str:
    # "#" and "$" mark what is no plain text; escaping turns both into %23 and %24 where a text brings them along.
    if isinstance(part, str):
        return _escaped(part)
    if isinstance(part, UUID):
        return str(part)
    if part is None or isinstance(part, int):
        return f"#{part!r}".lower()
    raise CacheKeyError(f"A part of a key must be str, int, bool, UUID or None, not {type(part).__name__}.")


def _escaped(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    escaped = quote(text, safe="", errors="surrogatepass")
    if len(escaped) <= _PART_CHARS_MAX:
        return escaped
    return f"${hashlib.blake2b(escaped.encode(), digest_size=16).hexdigest()}"
