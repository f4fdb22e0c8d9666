"""Whether the secrets of the settings are those that the database was filled with."""

from __future__ import annotations

from deploy.cli.rotation import count_by_key
from deploy.doctor.database import Database
from deploy.doctor.finding import Verdict, failed, ok, skipped
from deploy.doctor.words import count_of
from shared.accounts import TOKEN_COLUMN
from shared.database import Row
from shared.security import SealedToken, TokenCipher, TokenUnreadableError, matches, parse_api_key
from shared.webhooks import SECRET_COLUMN

_API_KEY = "INSTADISTRO_API_KEY"
# One of each key is enough to tell whether it is the right one: by the index account_tokens_key.
_SEALED_OF_EACH = """
    SELECT one.key_id, one.user_id, one.account_id AS row_id, one.sealed
    FROM unnest($1::text[]) AS ring (key_id)
    CROSS JOIN LATERAL (
        SELECT key_id, user_id, account_id, sealed
        FROM account_tokens
        WHERE (key_id, account_id) >= (ring.key_id, '00000000-0000-0000-0000-000000000000')
        ORDER BY key_id, account_id
        LIMIT 1
    ) AS one
    WHERE one.key_id = ring.key_id
"""
_WEBHOOK_OF_EACH = """
    SELECT DISTINCT ON (key_id) key_id, user_id, id AS row_id, sealed
    FROM webhooks
    WHERE key_id = ANY($1::text[])
    ORDER BY key_id, id
"""
_HASH = "SELECT secret_hash FROM api_keys WHERE key_id = $1"


async def look_at_keys(database: Database) -> Verdict | list[Verdict]:
    """Whether TOKEN_KEYS holds every key that a stored secret was encrypted with, and the right one."""
    ring = database.setup.settings.token_keys
    counts = await count_by_key(database.pool)
    found = [
        failed(
            f"TOKEN_KEYS lacks the key {key_id!r}, which {count_of(counts[key_id], 'stored secret')} can be read by.",
            do=f"Put {key_id} back into TOKEN_KEYS, behind the first. If it is lost, connect the accounts again.",
        )
        for key_id in sorted(counts.keys() - ring.keys())
    ]
    cipher, names = TokenCipher(ring), list(ring)
    tokens = await database.pool.fetch(_SEALED_OF_EACH, names)
    webhooks = await database.pool.fetch(_WEBHOOK_OF_EACH, names)
    wrong = {row["key_id"] for row in tokens if not _opens(cipher, row, column=TOKEN_COLUMN)}
    wrong |= {row["key_id"] for row in webhooks if not _opens(cipher, row, column=SECRET_COLUMN)}
    found += [
        failed(
            f"The key {key_id!r} of TOKEN_KEYS does not open what was encrypted under that name.",
            do="Put the key back that had this name, and give the new one a name of its own before it.",
        )
        for key_id in sorted(wrong)
    ]
    return found or ok(f"TOKEN_KEYS opens the {count_of(counts.total(), 'stored secret')}.")


def _opens(cipher: TokenCipher, row: Row, *, column: str) -> bool:
    sealed = SealedToken(key_id=row["key_id"], ciphertext=row["sealed"])
    try:
        cipher.decrypt(sealed, user_id=row["user_id"], row_id=row["row_id"], column=column)
    except TokenUnreadableError:
        return False
    return True


async def look_at_api_key(database: Database) -> Verdict:
    """Whether API_KEY_PEPPER is the one that keys were made with, where there is one to try."""
    text = database.setup.environ.get(_API_KEY)
    if not text:
        return skipped(f"Whether API_KEY_PEPPER fits can be told only with a key: set {_API_KEY} to one of yours.")
    parsed = parse_api_key(text)
    stored = await database.pool.fetchval(_HASH, parsed.key_id) if parsed is not None else None
    if parsed is None or stored is None:
        return failed(
            f"{_API_KEY} is no key of this system.",
            do="Give the whole key as it was shown, or make one with `instadistro users create`.",
        )
    if not matches(parsed, stored, database.setup.settings.api_key_pepper):
        return failed(
            f"{_API_KEY} is refused: API_KEY_PEPPER is not the one it was made with, or its second half is wrong.",
            do="Put the former API_KEY_PEPPER back; without it every user needs new keys (`instadistro users create`).",
        )
    return ok(f"API_KEY_PEPPER is the one that {_API_KEY} was made with.")
