"""`/v1/schedules`: rules by which posts are published again and again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.api.call import Call
from services.api.distributions.contract import DryRun
from services.api.http import (
    Answer,
    NoQuery,
    Order,
    Page,
    answer,
    answer_page,
    created,
    fetch_page,
    no_content,
    not_found,
)
from services.api.routing import delete, get, patch, post
from services.api.schedules import store
from services.api.schedules.change_schedule import change_schedule
from services.api.schedules.check_schedule import check_fields, first_due, require_all, rule_of
from services.api.schedules.contract import (
    NewSchedule,
    OccurrencesQuery,
    Preview,
    PreviewQuery,
    Schedule,
    ScheduleChange,
    ScheduleOccurrence,
    SchedulesQuery,
)
from services.api.schedules.preview_times import preview_times
from services.api.schedules.resume_schedule import resume_schedule
from shared.alerts import AlertCode, resolve_alerts
from shared.database import Connection, Row
from shared.outbox import Event, record_events
from shared.pagination import SortColumn, SortDirection

_LAST_DUE_FIRST = Order(column=SortColumn.DUE_AT, direction=SortDirection.DESC)


async def list_schedules(call: Call[SchedulesQuery, None]) -> Answer[Page[Schedule]]:
    """One page of the tenant's schedules."""
    query = call.query
    sql, args = store.list_query(
        call.user_id,
        state=query.state,
        account_id=query.account_id,
        group_id=query.group_id,
        post_id=query.post_id,
        post_queue_id=query.post_queue_id,
    )
    order = Order.of(query.sort)
    async with call.connect() as connection:
        page = await fetch_page(connection, sql, args, page=call.page, present=store.present, order=order)
    return answer_page(call.request, page)


async def get_schedule(call: Call[NoQuery, None]) -> Answer[Schedule]:
    """One schedule, and when it is due next."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("schedule"), user_id=call.user_id))


async def add_schedule(call: Call[DryRun, NewSchedule]) -> Answer[Schedule | Preview]:
    """Make a schedule, or only show when it would be due."""
    wish = check_fields(call.body)
    async with call.begin() as tx:
        now = await store.read_now(tx)
        due = await first_due(rule_of(wish), now=now)
        await require_all(tx, wish, user_id=call.user_id)
        if call.query.dry_run:
            preview = await preview_times(rule_of(wish), now=now, count=PreviewQuery().count)
            return await call.keep(tx, answer(preview))
        schedule_id = await store.insert(tx, wish, next_at=due, user_id=call.user_id)
        schedule = await _find(tx, schedule_id, user_id=call.user_id)
        await _tell(call, tx, "schedule.created", schedule_id, after=schedule)
        return await call.keep(tx, created(schedule, path="/v1/schedules"))


async def edit_schedule(call: Call[NoQuery, ScheduleChange]) -> Answer[Schedule]:
    """Change a schedule; another rule counts from now on."""
    schedule_id = call.id("schedule")
    async with call.begin() as tx:
        current, before = await _lock(call, tx, schedule_id)
        call.require_match(answer(before))
        await change_schedule(tx, schedule_id, call.body, current=current, user_id=call.user_id)
        after = await _find(tx, schedule_id, user_id=call.user_id)
        if after != before:
            await _tell(call, tx, "schedule.changed", schedule_id, before=before, after=after)
    return answer(after)


async def remove_schedule(call: Call[NoQuery, None]) -> Answer[None]:
    """Remove a schedule; what it made so far stays."""
    schedule_id = call.id("schedule")
    async with call.begin() as tx:
        _, before = await _lock(call, tx, schedule_id)
        call.require_match(answer(before))
        await store.remove(tx, schedule_id, user_id=call.user_id)
        await resolve_alerts(tx, AlertCode.SCHEDULE_BROKEN, [schedule_id], user_id=call.user_id)
        await _tell(call, tx, "schedule.removed", schedule_id, before=before)
    return no_content()


async def show_preview(call: Call[PreviewQuery, None]) -> Answer[Preview]:
    """When a schedule is due, by its rule, in local time and UTC."""
    async with call.connect() as connection:
        row = await store.find(connection, call.id("schedule"), user_id=call.user_id)
        now = await store.read_now(connection)
    if row is None:
        raise not_found("schedule")
    return answer(await preview_times(rule_of(store.wish_of(row)), now=now, count=call.query.count))


async def list_occurrences(call: Call[OccurrencesQuery, None]) -> Answer[Page[ScheduleOccurrence]]:
    """One page of what became of a schedule's due times, the last first."""
    schedule_id = call.id("schedule")
    sql, args = store.occurrences_query(call.user_id, schedule_id=schedule_id, state=call.query.state)
    async with call.connect() as connection:
        await _find(connection, schedule_id, user_id=call.user_id)
        shown = store.present_occurrence
        page = await fetch_page(connection, sql, args, page=call.page, present=shown, order=_LAST_DUE_FIRST)
    return answer_page(call.request, page)


async def pause(call: Call[NoQuery, None]) -> Answer[Schedule]:
    """Let nothing of a schedule be due until it is resumed; what it made so far goes on."""
    schedule_id = call.id("schedule")
    async with call.begin() as tx:
        _, before = await _lock(call, tx, schedule_id)
        await store.pause(tx, schedule_id, user_id=call.user_id)
        return await _changed(call, tx, "schedule.paused", before=before)


async def resume(call: Call[NoQuery, None]) -> Answer[Schedule]:
    """Let a paused or broken schedule go on; what was due meanwhile is not made up for."""
    schedule_id = call.id("schedule")
    async with call.begin() as tx:
        current, before = await _lock(call, tx, schedule_id)
        await resume_schedule(tx, schedule_id, current=current, user_id=call.user_id)
        return await _changed(call, tx, "schedule.resumed", before=before)


async def _changed(call: Call[NoQuery, None], tx: Connection, action: str, *, before: Schedule) -> Answer[Schedule]:
    after = await _find(tx, before.id, user_id=call.user_id)
    if after != before:
        await _tell(call, tx, action, before.id, before=before, after=after)
    return await call.keep(tx, answer(after))


async def _find(connection: Connection, schedule_id: UUID, *, user_id: UUID) -> Schedule:
    row = await store.find(connection, schedule_id, user_id=user_id)
    if row is None:
        raise not_found("schedule")
    return store.present(row)


async def _lock(call: Call[Any, Any], tx: Connection, schedule_id: UUID) -> tuple[Row, Schedule]:
    row = await store.lock(tx, schedule_id, user_id=call.user_id)
    if row is None:
        raise not_found("schedule")
    return row, await _find(tx, schedule_id, user_id=call.user_id)


async def _tell(
    call: Call[Any, Any], tx: Connection, action: str, schedule_id: UUID, *, before: Any = None, after: Any = None
) -> None:
    await call.audit(tx, action, ("schedule", schedule_id), before=before, after=after)
    event = Event(user_id=call.user_id, type="schedule.changed", subject=schedule_id, payload={"action": action})
    await record_events(tx, [event])


ROUTES = [
    get("/v1/schedules", list_schedules),
    post("/v1/schedules", add_schedule, statuses=(200, 201), problems=("timezone_required",), cost=5),
    get("/v1/schedules/{id}", get_schedule),
    patch("/v1/schedules/{id}", edit_schedule, problems=("timezone_required", "state_conflict"), cost=5),
    delete("/v1/schedules/{id}", remove_schedule),
    get("/v1/schedules/{id}/preview", show_preview, cost=5),
    get("/v1/schedules/{id}/occurrences", list_occurrences),
    post("/v1/schedules/{id}/pause", pause),
    post("/v1/schedules/{id}/resume", resume, problems=("state_conflict",)),
]
