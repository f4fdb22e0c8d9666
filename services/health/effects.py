"""What follows from a judgement: how careful the system is with the account, and what it lets go when that ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from shared.accounts import Caution, caution_event
from shared.database import Connection, Row
from shared.outbox import Event, record_events
from shared.publications import lift_health_cap, lock_held_back, release_accounts

_CAUTION_OF: Mapping[str, Caution] = MappingProxyType({"critical": Caution.HELD, "at_risk": Caution.HALVED})

# In the order in which all lock several of them.
_LOCK = """
    SELECT accounts.id, accounts.caution AS before,
           CASE WHEN accounts.caution_waived_until > now() THEN accounts.caution_waived_until END AS waived_until
    FROM unnest($1::uuid[], $2::uuid[]) AS judged (user_id, id)
    JOIN accounts ON accounts.user_id = judged.user_id AND accounts.id = judged.id
    WHERE accounts.removed_at IS NULL
    ORDER BY accounts.id
    FOR NO KEY UPDATE OF accounts
"""
# `updated_at` stays, as where a proxy goes down: it tells of changes to the account itself. What clients see of this
# (`held_because`) changes its ETag all the same, which is of the content.
_SET = """
    UPDATE accounts
    SET caution = careful.caution
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS careful (user_id, id, caution)
    WHERE accounts.user_id = careful.user_id AND accounts.id = careful.id
"""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An account with the band that it was found in."""

    user_id: UUID
    account_id: UUID
    band: str


@dataclass(frozen=True, kw_only=True)
class _Change:
    judged: Judged
    before: Caution
    after: Caution
    row: Row  # as it was locked

    @property
    def lets_go(self) -> bool:
        """Whether something that waits may go on."""
        return self.before is Caution.HELD or self.after is Caution.NONE

    @property
    def event(self) -> Event:
        """What clients hear: what is in force, which is none while a person has waived it."""
        return caution_event(
            self.judged.account_id,
            user_id=self.judged.user_id,
            caution=Caution.NONE if self.row["waived_until"] else self.after,
            band=self.judged.band,
            waived_until=self.row["waived_until"],
        )


def caution_for(band: str) -> Caution:
    """How careful to be with an account in this band. Of one that nobody can judge yet nothing follows."""
    return _CAUTION_OF.get(band, Caution.NONE)


async def apply_effects(tx: Connection, judged: Sequence[Judged], *, rescue_after_s: float) -> None:
    """Let what was found out about accounts take effect, in the transaction that stores it.

    One that became critical is held at its claims from now on. One that is critical no more has its publications
    released, as far as nothing else holds them; of one that is at risk no more, what waits for its halved cap goes on.
    Invalidate what is cached of the accounts after the commit.

    Args:
        tx: the caller's transaction.
        judged: accounts of any tenants, each once, with the bands that they are in now.
        rescue_after_s: seconds past due after which a released publication counts as forgotten.
    """
    changes = await _lock_changes(tx, judged)
    if not changes:
        return
    await tx.execute(
        _SET,
        [change.judged.user_id for change in changes],
        [change.judged.account_id for change in changes],
        [change.after.value for change in changes],
    )
    await record_events(tx, [change.event for change in changes])
    for user_id, account_ids in _by_user(change for change in changes if change.lets_go).items():
        await lock_held_back(tx, account_ids, user_id=user_id)
    for user_id, account_ids in _by_user(change for change in changes if change.before is Caution.HELD).items():
        await release_accounts(tx, user_id=user_id, account_ids=account_ids, rescue_after_s=rescue_after_s)
    for user_id, account_ids in _by_user(change for change in changes if change.after is Caution.NONE).items():
        await lift_health_cap(tx, account_ids, user_id=user_id, rescue_after_s=rescue_after_s)


async def _lock_changes(tx: Connection, judged: Sequence[Judged]) -> list[_Change]:
    by_id = {one.account_id: one for one in judged}
    rows = await tx.fetch(_LOCK, [one.user_id for one in judged], list(by_id)) if judged else []
    changes = [
        _Change(
            judged=by_id[row["id"]],
            before=Caution(row["before"]),
            after=caution_for(by_id[row["id"]].band),
            row=row,
        )
        for row in rows
    ]
    return [change for change in changes if change.before is not change.after]


def _by_user(changes: Iterable[_Change]) -> dict[UUID, list[UUID]]:
    grouped = defaultdict[UUID, list[UUID]](list)
    for change in changes:
        grouped[change.judged.user_id].append(change.judged.account_id)
    return grouped
