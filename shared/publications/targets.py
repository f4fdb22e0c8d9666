"""Which accounts a post may go to: what stands against each, in words that the gateway and the scheduler share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.accounts import CAUTION_COLUMN, PUBLISHABLE, AccountState, Caution
from shared.database import Connection, Row

_ACCOUNTS = f"""
    SELECT accounts.id, accounts.username, accounts.state, {CAUTION_COLUMN}
    FROM accounts
    WHERE user_id = $1 AND id = ANY($2::uuid[]) AND removed_at IS NULL
    ORDER BY id
"""  # noqa: S608 - built of constants alone
_MEMBERS = f"""
    SELECT accounts.id, accounts.username, accounts.state, {CAUTION_COLUMN}
    FROM group_members
    JOIN accounts ON accounts.user_id = group_members.user_id AND accounts.id = group_members.account_id
    WHERE group_members.user_id = $1 AND group_members.group_id = $2 AND accounts.removed_at IS NULL
    ORDER BY accounts.id
"""  # noqa: S608 - built of constants alone


@dataclass(frozen=True, kw_only=True)
class Target:
    """One account that a post may go to."""

    account_id: UUID
    username: str
    state: AccountState
    caution: Caution  # what follows from its health now

    @property
    def unfit_because(self) -> str | None:
        """Why nothing can be published on it now; None if it can."""
        if self.state not in PUBLISHABLE:
            return f"{self.username} is {self.state}."
        return f"{self.username} is held: its health is critical." if self.caution is Caution.HELD else None

    @property
    def barred_because(self) -> str | None:
        """Why no new distribution may use it; None if it may."""
        if self.unfit_because is None and self.caution is Caution.HALVED:
            return f"{self.username} is at risk: nothing new is distributed to it until its health is better."
        return self.unfit_because


async def find_targets(tx: Connection, account_ids: Sequence[UUID], *, user_id: UUID) -> list[Target]:
    """Those of these accounts that the user still has, by id."""
    return [_target(row) for row in await tx.fetch(_ACCOUNTS, user_id, list(account_ids))]


async def find_group_targets(tx: Connection, group_id: UUID, *, user_id: UUID) -> list[Target]:
    """The accounts of a group, by id; none if there is no such group."""
    return [_target(row) for row in await tx.fetch(_MEMBERS, user_id, group_id)]


def _target(row: Row) -> Target:
    return Target(
        account_id=row["id"],
        username=row["username"],
        state=AccountState(row["state"]),
        caution=Caution(row["caution"]),
    )
