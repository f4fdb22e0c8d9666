"""SQL and cache keys of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.api.accounts.contract import Account
from services.api.filters import filtered
from shared.accounts import ACCOUNT_COLUMNS, ACCOUNT_JOINS, CAUTION_COLUMN, AccountState
from shared.cache import CacheKey, CacheNamespace, CacheService
from shared.database import Connection, Row
from shared.publications import held_because

# What stands in other tables is asked for row by row: a page has few, and the planner might read all of a joined table.
_LIST = f"""
    SELECT id, username, instagram_user_id, state, state_reason, removed_at, tags, proxy_id, protocol_id,
           token_expires_at, created_at, updated_at, {CAUTION_COLUMN},
           (SELECT proxies.state FROM proxies
            WHERE proxies.user_id = accounts.user_id AND proxies.id = accounts.proxy_id) AS egress,
           (SELECT obtained_at FROM account_tokens WHERE account_id = accounts.id) AS token_obtained_at,
           (SELECT scopes FROM account_tokens WHERE account_id = accounts.id) AS token_scopes
    FROM accounts
    WHERE user_id = $1 AND removed_at IS NULL
"""  # noqa: S608 - built of constants alone
_FIND = f"{_LIST} AND id = $2"
_EXISTING = "SELECT id FROM accounts WHERE user_id = $1 AND id = ANY($2::uuid[]) AND removed_at IS NULL"
# Nobody plans anything for it meanwhile: a new publication holds its account's key.
_LOCK_WHOLE = """
    SELECT id
    FROM accounts
    WHERE user_id = $1 AND id = $2 AND removed_at IS NULL
    FOR UPDATE
"""
_DEPENDENTS = """
    SELECT state, count(*) AS number, (array_agg(id ORDER BY publish_at))[1] AS example,
           array_agg(DISTINCT distribution_id) AS distribution_ids
    FROM publications
    WHERE user_id = $1 AND account_id = $2 AND state IN ('scheduled', 'held', 'publishing')
    GROUP BY state
    ORDER BY state
"""
# Its row stays, for the sake of what was published with it. The time of its last flag is no longer of any use.
_REMOVE = """
    WITH token AS (DELETE FROM account_tokens WHERE user_id = $1 AND account_id = $2),
         memberships AS (DELETE FROM group_members WHERE user_id = $1 AND account_id = $2),
         checks AS (DELETE FROM health_checks WHERE user_id = $1 AND account_id = $2),
         score AS (DELETE FROM health_scores WHERE user_id = $1 AND account_id = $2)
    UPDATE accounts
    SET removed_at = now(), tags = '{}', proxy_id = NULL, protocol_id = NULL, warmup_day = 0,
        warmup_day_began_at = NULL, token_expires_at = NULL, quota_total = NULL, quota_until = NULL,
        caution = 'none', caution_waived_until = NULL, updated_at = now()
    WHERE user_id = $1 AND id = $2
"""
# As the claim reads it: `shared/publications/claim.py`.
_STANDING = f"""
    SELECT accounts.user_id, accounts.id, accounts.quota_total, {CAUTION_COLUMN},
           CASE WHEN accounts.quota_until > now() THEN accounts.quota_until END AS quota_until,
           accounts.protocol_id, accounts.warmup_day, accounts.warmup_day_began_at, accounts.flagged_at,
           warmup_protocols.daily_caps, warmup_protocols.min_gap_s, warmup_protocols.success_ratio, now() AS read_at
    FROM accounts
    LEFT JOIN warmup_protocols ON warmup_protocols.id = accounts.protocol_id
    WHERE accounts.user_id = $1 AND accounts.id = $2 AND accounts.removed_at IS NULL
"""  # noqa: S608 - built of constants alone
_PUBLISHED = """
    SELECT count(*)
    FROM publications
    WHERE user_id = $1 AND account_id = $2 AND state = 'published' AND published_at > now() - interval '24 hours'
"""
_ACCESS = f"""
    SELECT {ACCOUNT_COLUMNS}
    FROM accounts
    {ACCOUNT_JOINS}
    WHERE accounts.user_id = $1 AND accounts.id = $2 AND accounts.removed_at IS NULL
"""  # noqa: S608 - built of constants alone
_SEALED = "SELECT sealed FROM account_tokens WHERE user_id = $1 AND account_id = $2"
_NOTE_PROFILE = """
    UPDATE accounts
    SET username = $3, quota_total = coalesce($4, quota_total), updated_at = now()
    WHERE user_id = $1 AND id = $2 AND (username <> $3 OR coalesce($4, quota_total) IS DISTINCT FROM quota_total)
    RETURNING id
"""
_DETACH = """
    UPDATE accounts
    SET proxy_id = CASE WHEN $3 THEN NULL ELSE proxy_id END,
        protocol_id = CASE WHEN $4 THEN NULL ELSE protocol_id END,
        warmup_day = CASE WHEN $4 THEN 0 ELSE warmup_day END,
        warmup_day_began_at = CASE WHEN $4 THEN NULL ELSE warmup_day_began_at END,
        updated_at = now()
    WHERE user_id = $1 AND id = $2
      AND (($3 AND proxy_id IS NOT NULL) OR ($4 AND protocol_id IS NOT NULL))
    RETURNING id
"""
_LOCK = """
    SELECT state, paused_from
    FROM accounts
    WHERE user_id = $1 AND id = $2 AND removed_at IS NULL
    FOR NO KEY UPDATE
"""


def list_query(
    user_id: UUID,
    *,
    allowed: Sequence[UUID] | None = None,
    state: str | None = None,
    tag: str | None = None,
    username: str | None = None,
    group_id: UUID | None = None,
    proxy_id: UUID | None = None,
    protocol_id: str | None = None,
) -> tuple[str, list[Any]]:
    """The statement that selects a user's accounts; `allowed` are the only ones that the key may see."""
    members = "EXISTS (SELECT FROM group_members WHERE group_id = {} AND account_id = accounts.id)"
    clauses = {
        "id = ANY({}::uuid[])": allowed,
        "state = {}": state,
        "tags @> ARRAY[{}::text]": tag,
        "lower(username) = lower({})": username,
        members: group_id,
        "proxy_id = {}": proxy_id,
        "protocol_id = {}": protocol_id,
    }
    return filtered(_LIST, user_id, clauses=clauses)


def account_key(user_id: UUID, account_id: UUID) -> CacheKey:
    """Where an account is cached."""
    return CacheService.key(CacheNamespace.ACCOUNT, user_id, account_id)


async def find(connection: Connection, account_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's accounts."""
    return await connection.fetchrow(_FIND, user_id, account_id)


async def lock(tx: Connection, account_id: UUID, *, user_id: UUID) -> Row | None:
    """Hold one of the user's accounts in the state it is in until the transaction ends."""
    return await tx.fetchrow(_LOCK, user_id, account_id)


async def lock_whole(tx: Connection, account_id: UUID, *, user_id: UUID) -> bool:
    """Hold one of the user's accounts, so that nothing is planned for it either; False: there is none."""
    return await tx.fetchval(_LOCK_WHOLE, user_id, account_id) is not None


async def dependents(tx: Connection, account_id: UUID, *, user_id: UUID) -> list[Row]:
    """What waits for an account: of each state how many publications, one of them, and whose distributions."""
    return await tx.fetch(_DEPENDENTS, user_id, account_id)


async def remove(tx: Connection, account_id: UUID, *, user_id: UUID) -> None:
    """Take an account out of everything that is not history."""
    await tx.execute(_REMOVE, user_id, account_id)


async def detach(tx: Connection, account_id: UUID, *, user_id: UUID, proxy: bool, protocol: bool) -> bool:
    """Take its proxy from an account, or its protocol, or both; False: it had none."""
    return await tx.fetchval(_DETACH, user_id, account_id, proxy, protocol) is not None


async def find_access(connection: Connection, account_id: UUID, *, user_id: UUID) -> Row | None:
    """What `open_account` needs of one of the user's accounts."""
    return await connection.fetchrow(_ACCESS, user_id, account_id)


async def sealed_token(tx: Connection, account_id: UUID, *, user_id: UUID) -> bytes | None:
    """An account's token, as it is stored."""
    sealed: bytes | None = await tx.fetchval(_SEALED, user_id, account_id)
    return sealed


async def note_profile(
    tx: Connection, account_id: UUID, *, user_id: UUID, username: str, quota_total: int | None
) -> bool:
    """Keep what the platform says of an account; False: it was known. None leaves the quota as it is."""
    return await tx.fetchval(_NOTE_PROFILE, user_id, account_id, username, quota_total) is not None


async def find_standing(connection: Connection, account_id: UUID, *, user_id: UUID) -> Row | None:
    """What limits how much an account may publish."""
    return await connection.fetchrow(_STANDING, user_id, account_id)


async def count_published(connection: Connection, account_id: UUID, *, user_id: UUID) -> int:
    """How many of its publications went live in the last 24 hours."""
    published: int = await connection.fetchval(_PUBLISHED, user_id, account_id)
    return published


async def missing(connection: Connection, account_ids: Sequence[UUID], *, user_id: UUID) -> list[UUID]:
    """Those ids that are no account of the user."""
    rows = await connection.fetch(_EXISTING, user_id, list(account_ids))
    found = {row["id"] for row in rows}
    return [account_id for account_id in account_ids if account_id not in found]


def present(row: Row) -> Account:
    """An account as clients see it."""
    shown = dict(row)
    reason = held_because(row, shown.pop("egress"))
    del shown["removed_at"], shown["caution"]
    shown["state"] = AccountState(row["state"])
    return Account(can_publish=reason is None, held_because=reason, **shown)
