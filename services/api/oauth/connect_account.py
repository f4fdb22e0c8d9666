"""Keeping a connected account: made, or brought back with its new token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.api.accounts.check_row import checked_account
from services.api.accounts.upsert_accounts import apply_upsert, plan_upsert
from services.api.oauth import store
from services.api.oauth.ask_grant import Granted
from shared.accounts.imports import AccountRow
from shared.database import Connection, Row
from shared.outbox import Event, record_events
from shared.security import TokenCipher
from shared.settings import Settings

# What a column of times can hold, whatever the platform says.
_LONGEST_LIFE_S = 10 * 365 * 86_400


@dataclass(frozen=True, kw_only=True)
class Connected:
    """What became of it."""

    account_id: UUID
    is_new: bool


async def connect_account(
    tx: Connection, granted: Granted, begun: Row, *, cipher: TokenCipher, settings: Settings
) -> Connected:
    """Write the account as an import would.

    Args:
        tx: the caller's transaction.
        granted: what the platform said.
        begun: what `store.take` answered: whose account it is, and how it shall publish.
        cipher: encrypts its token.
        settings: how accounts are looked after.

    Raises:
        ProblemError: the proxy has been deleted meanwhile (`validation_failed`).
    """
    user_id = begun["user_id"]
    plan = await plan_upsert(tx, [_row(granted, begun)], user_id=user_id, cipher=cipher)
    await apply_upsert(tx, plan, user_id=user_id, settings=settings)
    [account_id] = plan.ids
    if granted.scopes is not None:
        await store.set_scopes(tx, account_id, granted.scopes, user_id=user_id)
    if account_id not in plan.revived:  # of those the state's arrow tells
        payload = {"account_id": str(account_id)}
        event = Event(user_id=user_id, type="account.connected", subject=account_id, payload=payload)
        await record_events(tx, [event])
    return Connected(account_id=account_id, is_new=bool(plan.added))


def _row(granted: Granted, begun: Row) -> AccountRow:
    life_s = granted.token.expires_in_s
    expires_at = None if life_s is None else datetime.now(UTC) + timedelta(seconds=min(life_s, _LONGEST_LIFE_S))
    return checked_account(
        {
            "username": granted.profile.username,
            "instagram_user_id": granted.profile.ig_user_id,
            "access_token": granted.token.access_token,
            "token_expires_at": None if expires_at is None else expires_at.isoformat(),
            "proxy_id": None if begun["proxy_id"] is None else str(begun["proxy_id"]),
            "protocol_id": begun["protocol_id"],
        }
    )
