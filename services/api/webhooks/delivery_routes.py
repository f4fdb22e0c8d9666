"""`/v1/webhooks/{id}/deliveries`: what was sent, what became of it, and sending it again."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.call import Call
from services.api.http import Answer, NoQuery, Page, ProblemError, Scope, answer, answer_page, fetch_page, not_found
from services.api.routing import get, post
from services.api.webhooks import store
from services.api.webhooks.contract import Delivery, DeliveryQuery, WebhookState
from shared.database import Connection
from shared.webhooks import NewDelivery, add_deliveries, message_body

_PATH = "/v1/webhooks/{id}"
_TEST = "webhook.test"


async def list_deliveries(call: Call[DeliveryQuery, None]) -> Answer[Page[Delivery]]:
    """One page of a webhook's deliveries of the last 30 days."""
    webhook_id = call.id("webhook")
    sql, args = store.deliveries_query(call.user_id, webhook_id=webhook_id, state=call.query.state)
    async with call.connect() as connection:
        if await store.find(connection, webhook_id, user_id=call.user_id) is None:
            raise not_found("webhook")
        page = await fetch_page(connection, sql, args, page=call.page, present=store.present_delivery)
    return answer_page(call.request, page)


async def send_test(call: Call[NoQuery, None]) -> Answer[Delivery]:
    """Send a `webhook.test` event to this webhook alone."""
    webhook_id, event_id = call.id("webhook"), uuid7()
    body = message_body(
        event_id,
        event_type=_TEST,
        created_at=datetime.now(UTC),
        subject=str(webhook_id),
        data={"webhook_id": webhook_id},
    )
    new = NewDelivery(user_id=call.user_id, webhook_id=webhook_id, event_id=event_id, event_type=_TEST, body=body)
    async with call.begin() as tx:
        await _require_enabled(tx, webhook_id, user_id=call.user_id)
        return await _send(call, tx, new, action="webhook.tested")


async def redeliver(call: Call[NoQuery, None]) -> Answer[Delivery]:
    """Send a delivery's event once more, under the same event id."""
    webhook_id, delivery_id = call.id("webhook"), call.id("delivery", name="delivery_id")
    async with call.begin() as tx:
        await _require_enabled(tx, webhook_id, user_id=call.user_id)
        row = await store.find_delivery(tx, delivery_id, webhook_id=webhook_id, user_id=call.user_id)
        if row is None:
            raise not_found("delivery")
        new = NewDelivery(
            user_id=call.user_id,
            webhook_id=webhook_id,
            event_id=row["event_id"],
            event_type=row["event_type"],
            body=await store.read_payload(tx, delivery_id, webhook_id=webhook_id, user_id=call.user_id),
        )
        return await _send(call, tx, new, action="webhook.redelivered")


async def _require_enabled(tx: Connection, webhook_id: UUID, *, user_id: UUID) -> None:
    row = await store.lock(tx, webhook_id, user_id=user_id)
    if row is None:
        raise not_found("webhook")
    if row["state"] != WebhookState.ENABLED:
        raise ProblemError("state_conflict", "The webhook is disabled. Enable it first.")


async def _send(call: Call[NoQuery, None], tx: Connection, new: NewDelivery, *, action: str) -> Answer[Delivery]:
    await add_deliveries(tx, [new])
    row = await store.find_delivery(tx, new.id, webhook_id=new.webhook_id, user_id=new.user_id)
    if row is None:
        raise not_found("delivery")
    delivery = store.present_delivery(row)
    await call.audit(tx, action, ("webhook", new.webhook_id), after=delivery)
    return await call.keep(tx, answer(delivery, status=202))


ROUTES = [
    post(
        f"{_PATH}/test",
        send_test,
        scope=Scope.ADMIN,
        statuses=(202,),
        problems=("state_conflict",),
        fills_outbox=True,
    ),
    get(f"{_PATH}/deliveries", list_deliveries, scope=Scope.ADMIN),
    post(
        f"{_PATH}/deliveries/{{delivery_id}}/redeliver",
        redeliver,
        scope=Scope.ADMIN,
        statuses=(202,),
        problems=("state_conflict",),
        fills_outbox=True,
    ),
]
