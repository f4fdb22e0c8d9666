"""Whether the secrets that are set now are those that a backup was made with."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from uuid import UUID

from deploy.backup.errors import BackupError
from deploy.backup.manifest import Manifest, Sample
from shared.database import Connection
from shared.security import SealedToken, TokenCipher, TokenUnreadableError
from shared.settings import Settings
from shared.webhooks import SECRET_COLUMN

_COUNT = """
    SELECT key_id, count(*) AS number
    FROM (
        SELECT key_id FROM account_tokens
        UNION ALL SELECT key_id FROM proxies WHERE key_id IS NOT NULL
        UNION ALL SELECT key_id FROM webhooks
        UNION ALL SELECT previous_key_id FROM webhooks WHERE previous_key_id IS NOT NULL
    ) AS secrets
    GROUP BY key_id
"""
_TOKENS = """
    SELECT DISTINCT ON (key_id) key_id, user_id, account_id AS id, sealed FROM account_tokens ORDER BY key_id
"""
_PROXIES = """
    SELECT DISTINCT ON (key_id) key_id, user_id, id, sealed FROM proxies WHERE key_id IS NOT NULL ORDER BY key_id
"""
_WEBHOOKS = "SELECT DISTINCT ON (key_id) key_id, user_id, id, sealed FROM webhooks ORDER BY key_id"
_SAMPLES = (("access_token", _TOKENS), ("proxy_credentials", _PROXIES), (SECRET_COLUMN, _WEBHOOKS))
_PURPOSE = b"instadistro backup"


async def count_keys(connection: Connection) -> dict[str, int]:
    """How many secrets there are under each key of the ring."""
    return {row["key_id"]: row["number"] for row in await connection.fetch(_COUNT)}


async def take_samples(connection: Connection) -> list[Sample]:
    """A secret of each kind under each key, as it is stored."""
    return [
        Sample(
            key_id=row["key_id"],
            user_id=str(row["user_id"]),
            row_id=str(row["id"]),
            column=column,
            sealed=row["sealed"],
        )
        for column, statement in _SAMPLES
        for row in await connection.fetch(statement)
    ]


def fingerprints(settings: Settings) -> dict[str, str]:
    """What tells the other secrets apart and gives nothing of them away: they are too long to be guessed."""
    return {
        "CURSOR_SECRET": _fingerprint(settings.cursor_secret),
        "API_KEY_PEPPER": _fingerprint(settings.api_key_pepper),
    }


def require_fit(manifest: Manifest, settings: Settings) -> None:
    """Make sure that with these settings the stored secrets can be read and API keys go on working.

    Raises:
        BackupError: they do not fit; the text names each that does not.
    """
    wrong = [*_wrong_keys(manifest, settings), *_wrong_others(manifest, settings)]
    if wrong:
        lines = "\n".join(f"  - {each}" for each in wrong)
        raise BackupError(
            f"These secrets are not those that the backup was made with:\n{lines}\n"
            "Set them as they were; a backup does not hold them. On a private system they are in secrets.json of its "
            "state directory."
        )


def _wrong_keys(manifest: Manifest, settings: Settings) -> Sequence[str]:
    missing = [
        f"TOKEN_KEYS lacks the key {key_id!r}, under which {number} secrets are stored"
        for key_id, number in sorted(manifest.token_keys.items())
        if key_id not in settings.token_keys
    ]
    cipher = TokenCipher(settings.token_keys)
    wrong = {sample.key_id for sample in manifest.samples if sample.key_id in settings.token_keys}
    wrong = {
        key_id
        for key_id in wrong
        if not all(_opens(cipher, each) for each in manifest.samples if each.key_id == key_id)
    }
    return missing + [f"TOKEN_KEYS holds another key under the name {key_id!r}" for key_id in sorted(wrong)]


def _wrong_others(manifest: Manifest, settings: Settings) -> Sequence[str]:
    ours = fingerprints(settings)
    follows = {
        "CURSOR_SECRET": "cursors and addresses of media would be void",
        "API_KEY_PEPPER": "no API key would work any more",
    }
    return [
        f"{name} is another one: {follows[name]}"
        for name, fingerprint in manifest.fingerprints.items()
        if ours.get(name) != fingerprint
    ]


def _opens(cipher: TokenCipher, sample: Sample) -> bool:
    sealed = SealedToken(key_id=sample.key_id, ciphertext=sample.sealed)
    try:
        cipher.decrypt(sealed, user_id=UUID(sample.user_id), row_id=UUID(sample.row_id), column=sample.column)
    except TokenUnreadableError:
        return False
    return True


def _fingerprint(secret: bytes) -> str:
    return hmac.new(secret, _PURPOSE, "sha256").hexdigest()[:16]
