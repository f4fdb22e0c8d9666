"""What else is known of an account: how much it may publish, and what it has published."""

from __future__ import annotations

from uuid import UUID

from services.api.accounts import store
from services.api.accounts.contract import AccountPublicationsQuery, Quota, WarmUp
from services.api.accounts.find_account import find_account
from services.api.call import Call
from services.api.http import Answer, NoQuery, Page, answer, answer_page, fetch_page, not_found
from services.api.publications import store as publications
from services.api.publications.contract import Publication
from shared.database import Connection, Row
from shared.publications import Standing, read_standing


async def get_quota(call: Call[NoQuery, None]) -> Answer[Quota]:
    """How much an account may publish now, by the platform's quota, by its warm-up and by its health."""
    account_id = call.id("account")
    call.caller.require_seen(account_id)
    async with call.connect() as connection:
        return answer(await _quota(connection, account_id, user_id=call.user_id))


async def list_account_publications(
    call: Call[AccountPublicationsQuery, None],
) -> Answer[Page[Publication]]:
    """One page of an account's publications."""
    account_id = call.id("account")
    call.caller.require_seen(account_id)
    sql, args = publications.list_query(
        call.user_id,
        account_id=account_id,
        state=call.query.state,
        group_id=None,
        post_id=None,
        distribution_id=None,
        begin=None,
        end=None,
        allowed=None,
    )
    async with call.connect() as connection:
        await find_account(connection, account_id, user_id=call.user_id)
        page = await fetch_page(connection, sql, args, page=call.page, present=publications.present)
    return answer_page(call.request, page)


async def _quota(connection: Connection, account_id: UUID, *, user_id: UUID) -> Quota:
    row = await store.find_standing(connection, account_id, user_id=user_id)
    if row is None:
        raise not_found("account")
    standing = await read_standing(connection, row)
    slot = standing.slot
    return Quota(
        account_id=account_id,
        published_24h=await store.count_published(connection, account_id, user_id=user_id),
        quota_total=row["quota_total"],
        warmup=_warmup(row, standing),
        health_cap=standing.health_cap,
        next_slot_at=None if slot is None else slot.at,
        next_slot_reason=None if slot is None else slot.reason,
        as_of=row["read_at"],
    )


def _warmup(row: Row, standing: Standing) -> WarmUp | None:
    warmup, record = standing.warmup, standing.record
    if warmup is None or record is None:
        return None
    return WarmUp(
        protocol_id=row["protocol_id"],
        day=warmup.day + 1,
        days=len(warmup.daily_caps),
        began_at=warmup.began_at if standing.begins_day is None else None,
        cap=warmup.cap,
        used=record.published + record.unknown + record.under_way,
        min_gap_s=warmup.min_gap_s,
    )
