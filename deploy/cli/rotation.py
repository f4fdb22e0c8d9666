"""Bringing every stored secret under the first key of the ring, in batches."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from shared.database import Pool, Row
from shared.jobs.dead import Progress
from shared.security import SealedToken, TokenCipher, TokenUnreadableError
from shared.webhooks import PREVIOUS_SECRET_COLUMN, SECRET_COLUMN

_BATCH = 500
_BEFORE_ALL = UUID(int=0)

_COUNT_TOKENS = "SELECT key_id, count(*) AS count FROM account_tokens GROUP BY key_id"
_COUNT_PROXIES = "SELECT key_id, count(*) AS count FROM proxies WHERE key_id IS NOT NULL GROUP BY key_id"
_COUNT_WEBHOOKS = "SELECT key_id, count(*) AS count FROM webhooks GROUP BY key_id"
_COUNT_OLD_SECRETS = """
    SELECT previous_key_id AS key_id, count(*) AS count FROM webhooks
    WHERE previous_key_id IS NOT NULL
    GROUP BY previous_key_id
"""
# A row that somebody writes at this moment gets the key of whoever writes it; the next pass looks again.
_TAKE_TOKENS = """
    SELECT account_id AS id, user_id, sealed FROM account_tokens
    WHERE key_id = $1 AND account_id > $2
    ORDER BY account_id
    LIMIT $3
    FOR NO KEY UPDATE SKIP LOCKED
"""
_TAKE_PROXIES = """
    SELECT id, user_id, sealed FROM proxies
    WHERE key_id = $1 AND id > $2
    ORDER BY id
    LIMIT $3
    FOR NO KEY UPDATE SKIP LOCKED
"""
_TAKE_WEBHOOKS = """
    SELECT id, user_id, sealed FROM webhooks
    WHERE key_id = $1 AND id > $2
    ORDER BY id
    LIMIT $3
    FOR NO KEY UPDATE SKIP LOCKED
"""
_TAKE_OLD_SECRETS = """
    SELECT id, user_id, previous_sealed AS sealed FROM webhooks
    WHERE previous_key_id = $1 AND id > $2
    ORDER BY id
    LIMIT $3
    FOR NO KEY UPDATE SKIP LOCKED
"""
_PUT_TOKENS = """
    UPDATE account_tokens SET key_id = $1, sealed = new.sealed
    FROM unnest($2::uuid[], $3::bytea[]) AS new (id, sealed)
    WHERE account_tokens.account_id = new.id
"""
_PUT_PROXIES = """
    UPDATE proxies SET key_id = $1, sealed = new.sealed
    FROM unnest($2::uuid[], $3::bytea[]) AS new (id, sealed)
    WHERE proxies.id = new.id
"""
_PUT_WEBHOOKS = """
    UPDATE webhooks SET key_id = $1, sealed = new.sealed
    FROM unnest($2::uuid[], $3::bytea[]) AS new (id, sealed)
    WHERE webhooks.id = new.id
"""
_PUT_OLD_SECRETS = """
    UPDATE webhooks SET previous_key_id = $1, previous_sealed = new.sealed
    FROM unnest($2::uuid[], $3::bytea[]) AS new (id, sealed)
    WHERE webhooks.id = new.id
"""


@dataclass(frozen=True, kw_only=True)
class _Vault:
    """A table that keeps secrets, and how they are counted, taken and put back."""

    column: str
    count: str
    take: str
    put: str


_VAULTS = (
    _Vault(column="access_token", count=_COUNT_TOKENS, take=_TAKE_TOKENS, put=_PUT_TOKENS),
    _Vault(column="proxy_credentials", count=_COUNT_PROXIES, take=_TAKE_PROXIES, put=_PUT_PROXIES),
    _Vault(column=SECRET_COLUMN, count=_COUNT_WEBHOOKS, take=_TAKE_WEBHOOKS, put=_PUT_WEBHOOKS),
    _Vault(column=PREVIOUS_SECRET_COLUMN, count=_COUNT_OLD_SECRETS, take=_TAKE_OLD_SECRETS, put=_PUT_OLD_SECRETS),
)


@dataclass(kw_only=True)
class Rotation:
    """What a rotation did, or would do."""

    key: str  # the first of the ring
    rotated: int = 0
    by_key: Counter[str] = field(default_factory=Counter)  # secrets by the key they are under now
    unreadable: list[str] = field(default_factory=list)  # why, one sentence each

    @property
    def left(self) -> int:
        """Secrets that are still under another key."""
        return self.by_key.total() - self.by_key[self.key]


async def rotate_secrets(pool: Pool, cipher: TokenCipher, *, progress: Progress) -> Rotation:
    """Encrypt every secret under the ring's first key, in batches that are each complete.

    It may be ended at any time and given again, several may run at once, and the system may run meanwhile.
    """
    rotation = Rotation(key=cipher.current_key_id)
    for vault in _VAULTS:
        # What is locked in one pass is there in the next. A pass that changes nothing is the last.
        while await _pass(pool, cipher, vault, rotation, progress):
            pass
    rotation.by_key = await count_by_key(pool)
    return rotation


async def count_by_key(pool: Pool) -> Counter[str]:
    """How many secrets there are under each key."""
    counts: Counter[str] = Counter()
    for vault in _VAULTS:
        counts.update({row["key_id"]: row["count"] for row in await pool.fetch(vault.count)})
    return counts


async def _pass(pool: Pool, cipher: TokenCipher, vault: _Vault, rotation: Rotation, progress: Progress) -> int:
    before = rotation.rotated
    rotation.unreadable = [why for why in rotation.unreadable if not why.startswith(f"The {vault.column} ")]
    old_keys = [row["key_id"] for row in await pool.fetch(vault.count) if row["key_id"] != cipher.current_key_id]
    for key_id in old_keys:
        after: UUID | None = _BEFORE_ALL
        while after is not None:
            after = await _batch(pool, cipher, vault, rotation, key_id=key_id, after=after, progress=progress)
    return rotation.rotated - before


async def _batch(
    pool: Pool,
    cipher: TokenCipher,
    vault: _Vault,
    rotation: Rotation,
    *,
    key_id: str,
    after: UUID,
    progress: Progress,
) -> UUID | None:
    """One transaction; where the next goes on, None at the end."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(vault.take, key_id, after, _BATCH)
        anew: dict[UUID, bytes] = {}
        for row in rows:
            try:
                anew[row["id"]] = _seal_anew(cipher, vault, row, key_id)
            except TokenUnreadableError as error:
                rotation.unreadable.append(str(error))
        if anew:
            await connection.execute(vault.put, cipher.current_key_id, list(anew), list(anew.values()))
    rotation.rotated += len(anew)
    progress(len(anew))
    return rows[-1]["id"] if len(rows) == _BATCH else None


def _seal_anew(cipher: TokenCipher, vault: _Vault, row: Row, key_id: str) -> bytes:
    sealed = SealedToken(key_id=key_id, ciphertext=row["sealed"])
    secret = cipher.decrypt(sealed, user_id=row["user_id"], row_id=row["id"], column=vault.column)
    return cipher.encrypt(secret, user_id=row["user_id"], row_id=row["id"], column=vault.column).ciphertext
