"""Letting an account go on for a while whatever its health is, by a person's wish and in their name."""

from __future__ import annotations

from uuid import UUID

from services.api.call import Call
from services.api.health import store
from services.api.health.contract import HealthOverride, NewOverride
from services.api.http import Answer, NoQuery, answer, invalid, not_found
from shared.accounts import Caution, caution_event
from shared.database import Connection, Row
from shared.outbox import record_events
from shared.publications import lift_health_cap, lock_held_back, release_held


async def override_health(call: Call[NoQuery, NewOverride]) -> Answer[HealthOverride]:
    """Let one account go on whatever its health is, for some hours."""
    account_id, reason = _own(call), call.body.reason.strip()
    if not reason:
        raise invalid("missing_field", "Say why: it is kept with your key's name.", path="reason")
    rescue_after_s = call.deps.settings.rescue_after_s
    async with call.begin() as tx:
        before = await _lock(tx, account_id, user_id=call.user_id)
        row = await store.waive(tx, account_id, user_id=call.user_id, hours=call.body.hours)
        await lock_held_back(tx, [account_id], user_id=call.user_id)
        released = await release_held(
            tx, user_id=call.user_id, account_id=account_id, rescue_after_s=rescue_after_s
        ) + await lift_health_cap(tx, [account_id], user_id=call.user_id, rescue_after_s=rescue_after_s)
        after = _present(row, account_id, reason=reason, released=released)
        await _tell(call, tx, "account.health_overridden", before=before, after=after, band=row["band"])
        answered = await call.keep(tx, answer(after))
    await call.deps.cache.invalidate_account(account_id, user_id=call.user_id)
    return answered


async def end_override(call: Call[NoQuery, None]) -> Answer[HealthOverride]:
    """Let what follows from one account's health be in force again."""
    account_id = _own(call)
    async with call.begin() as tx:
        before = await _lock(tx, account_id, user_id=call.user_id)
        after = before
        if before.caution_waived_until is not None:
            row = await store.end_waiver(tx, account_id, user_id=call.user_id)
            after = _present(row, account_id)
            await _tell(call, tx, "account.health_override_ended", before=before, after=after, band=row["band"])
    await call.deps.cache.invalidate_account(account_id, user_id=call.user_id)
    return answer(after)


def _own(call: Call[NoQuery, NewOverride] | Call[NoQuery, None]) -> UUID:
    account_id = call.id("account")
    call.caller.require_seen(account_id)
    return account_id


async def _lock(tx: Connection, account_id: UUID, *, user_id: UUID) -> HealthOverride:
    row = await store.lock_caution(tx, account_id, user_id=user_id)
    if row is None:
        raise not_found("account")
    return _present(row, account_id)


async def _tell(
    call: Call[NoQuery, NewOverride] | Call[NoQuery, None],
    tx: Connection,
    action: str,
    *,
    before: HealthOverride,
    after: HealthOverride,
    band: str | None,
) -> None:
    account_id, until = after.account_id, after.caution_waived_until
    event = caution_event(
        account_id, user_id=call.user_id, caution=Caution(after.caution), band=band, waived_until=until
    )
    await record_events(tx, [event])
    await call.audit(tx, action, ("account", account_id), before=before, after=after)


def _present(row: Row, account_id: UUID, *, reason: str | None = None, released: int = 0) -> HealthOverride:
    return HealthOverride(
        account_id=account_id,
        caution=Caution(row["caution"]),
        caution_waived_until=row["caution_waived_until"],
        reason=reason,
        released=released,
    )
