"""`/v1/alerts`: what a person should know, and what a person says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.api.alerts import store
from services.api.alerts.contract import Alert, AlertsQuery
from services.api.call import Call
from services.api.http import (
    Answer,
    Caller,
    NoQuery,
    Order,
    Page,
    ProblemError,
    answer,
    answer_page,
    fetch_page,
    not_found,
)
from services.api.routing import get, post
from shared.alerts import AlertState, acknowledge_alert, resolve_alert
from shared.database import Connection, Row


async def list_alerts(call: Call[AlertsQuery, None]) -> Answer[Page[Alert]]:
    """One page of the tenant's alerts, by state, severity, code and subject."""
    query = call.query
    sql, args = store.list_query(
        call.user_id,
        state=query.state,
        severity=query.severity,
        code=query.code,
        subject_id=query.subject_id,
        allowed=call.caller.allowed,
    )
    async with call.connect() as connection:
        order = Order.of(query.sort)
        page = await fetch_page(connection, sql, args, page=call.page, present=store.present, order=order)
    return answer_page(call.request, page)


async def get_alert(call: Call[NoQuery, None]) -> Answer[Alert]:
    """One alert."""
    async with call.connect() as connection:
        found = await store.find(connection, call.id("alert"), user_id=call.user_id)
    return answer(_seen(call.caller, found))


async def acknowledge(call: Call[NoQuery, None]) -> Answer[Alert]:
    """Say that somebody has seen it and is at it; it stays until it is over, and opens again if it gets worse."""
    async with call.begin() as tx:
        before = _seen(call.caller, await store.lock(tx, call.id("alert"), user_id=call.user_id))
        if before.state == AlertState.RESOLVED:
            raise ProblemError("state_conflict", "The alert is resolved; there is nothing left to acknowledge.")
        alert = await _say(call, tx, before, acknowledge_alert, action="alert.acknowledged")
        return await call.keep(tx, answer(alert))


async def resolve(call: Call[NoQuery, None]) -> Answer[Alert]:
    """Say that it is done with. Another is opened if what it told of is still so when that is looked at next."""
    async with call.begin() as tx:
        before = _seen(call.caller, await store.lock(tx, call.id("alert"), user_id=call.user_id))
        alert = await _say(call, tx, before, resolve_alert, action="alert.resolved")
        return await call.keep(tx, answer(alert))


def _seen(caller: Caller, found: Alert | None) -> Alert:
    """The alert, if there is one and it is of an account that the key may see, where the key is limited."""
    if found is None or not caller.sees(found.subject.id):
        raise not_found("alert")
    return found


async def _say(
    call: Call[NoQuery, None],
    tx: Connection,
    before: Alert,
    say: Callable[..., Awaitable[Row | None]],
    *,
    action: str,
) -> Alert:
    """What a person says, written with its audit line; what was said before changes nothing."""
    row = await say(tx, before.id, user_id=call.user_id, by=call.caller.key_id)
    if row is None:
        return before
    after = store.present(row)
    await call.audit(tx, action, ("alert", before.id), before=before, after=after)
    return after


_PATH = "/v1/alerts"
ROUTES = [
    get(_PATH, list_alerts, limited=True),
    get(f"{_PATH}/{{id}}", get_alert, limited=True),
    post(f"{_PATH}/{{id}}/acknowledge", acknowledge, limited=True, problems=("state_conflict",)),
    post(f"{_PATH}/{{id}}/resolve", resolve, limited=True),
]
