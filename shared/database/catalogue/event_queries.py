"""Queries of events as they are read, and of webhooks with their deliveries."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_READ = "shared.outbox.read_events"
_WEBHOOKS = "services.api.webhooks.store"
_FAN_OUT = "services.scheduler.fan_out_events"
_DELIVER = "services.scheduler.deliver_webhook"
_ROTATION = "deploy.cli.rotation"

_OWN = ("user_id", "webhook_id")
_OF_WEBHOOK = "webhooks_user_id_id_key"
_DELIVERY = "webhook_deliveries_pkey"
_FEW = "Every enabled webhook is asked whether there is more for it, and a tenant has 20 at most."
_NO_EVENTS = "Days to come have no events, and are read as they are."
_SECRETS = "A tenant has 20 at most, and it is a person who asks."

EVENT_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="events.read",
        source=f"{_READ}:_READ",
        arguments=("user_id", 1, 0, 200),
        index="events_stream",
        whole=_NO_EVENTS,
    ),
    CataloguedQuery(name="events.now", source=f"{_READ}:_NOW", whole="It reads no table."),
    CataloguedQuery(
        name="webhooks.fan_out",
        source=f"{_FAN_OUT}:_TAKE",
        arguments=(100, 50, 100),
        index="events_stream",
        also=("webhook_deliveries_fresh",),
        whole=_FEW,
    ),
    CataloguedQuery(
        name="webhooks.bring_back", source=f"{_FAN_OUT}:_BRING_BACK", whole="Once, when a scheduler starts."
    ),
    CataloguedQuery(
        name="webhooks.move",
        source=f"{_FAN_OUT}:_MOVE",
        arguments=(["00000000-0000-0000-0000-000000000000"], ["1"], [1]),
        index="webhooks_pkey",
    ),
    *pages(
        CataloguedPage(
            name="webhooks.page",
            source=f"{_WEBHOOKS}:LIST",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="webhooks_page",
        )
    ),
    CataloguedQuery(name="webhooks.find", source=f"{_WEBHOOKS}:_FIND", arguments=_OWN, index=_OF_WEBHOOK),
    CataloguedQuery(name="webhooks.lock", source=f"{_WEBHOOKS}:_LOCK", arguments=_OWN, index=_OF_WEBHOOK),
    CataloguedQuery(name="webhooks.count", source=f"{_WEBHOOKS}:_COUNT", arguments=("user_id",), index="webhooks_page"),
    CataloguedQuery(
        name="webhooks.update",
        source=f"{_WEBHOOKS}:_UPDATE",
        arguments=(*_OWN, "text", [], "text", "text", True),
        index=_OF_WEBHOOK,
    ),
    CataloguedQuery(name="webhooks.delete", source=f"{_WEBHOOKS}:_DELETE", arguments=_OWN, index=_OF_WEBHOOK),
    CataloguedQuery(name="webhooks.secret", source=f"{_WEBHOOKS}:_READ_SECRET", arguments=_OWN, index=_OF_WEBHOOK),
    CataloguedQuery(
        name="webhooks.rotate",
        source=f"{_WEBHOOKS}:_ROTATE",
        arguments=(*_OWN, "text", b"", "text", b""),
        index=_OF_WEBHOOK,
    ),
    CataloguedQuery(
        name="webhooks.disable",
        source="shared.webhooks.disable:_DISABLE",
        arguments=(*_OWN, "text"),
        index=_OF_WEBHOOK,
    ),
    CataloguedQuery(name="webhooks.works", source=f"{_DELIVER}:_WORKS", arguments=_OWN, index=_OF_WEBHOOK),
    CataloguedQuery(name="webhooks.fails", source=f"{_DELIVER}:_FAILS", arguments=_OWN, index=_OF_WEBHOOK),
    CataloguedQuery(name="webhooks.count_secrets", source=f"{_ROTATION}:_COUNT_WEBHOOKS", whole=_SECRETS),
    CataloguedQuery(
        name="webhooks.take_secrets",
        source=f"{_ROTATION}:_TAKE_WEBHOOKS",
        arguments=("text", "row_id", 500),
        whole=_SECRETS,
    ),
    CataloguedQuery(
        name="webhooks.put_secrets",
        source=f"{_ROTATION}:_PUT_WEBHOOKS",
        arguments=("text", ["00000000-0000-0000-0000-000000000000"], [b""]),
        index="webhooks_pkey",
    ),
    CataloguedQuery(name="webhooks.count_old_secrets", source=f"{_ROTATION}:_COUNT_OLD_SECRETS", whole=_SECRETS),
    CataloguedQuery(
        name="webhooks.take_old_secrets",
        source=f"{_ROTATION}:_TAKE_OLD_SECRETS",
        arguments=("text", "row_id", 500),
        whole=_SECRETS,
    ),
    CataloguedQuery(
        name="webhooks.put_old_secrets",
        source=f"{_ROTATION}:_PUT_OLD_SECRETS",
        arguments=("text", ["00000000-0000-0000-0000-000000000000"], [b""]),
        index="webhooks_pkey",
    ),
    *pages(
        CataloguedPage(
            name="webhook_deliveries.page",
            source=f"{_WEBHOOKS}:deliveries_query",
            arguments=(*_OWN, 51),
            place=Place.FIRST,
            index="webhook_deliveries_page",
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="webhook_deliveries.page_of_state",
            source=f"{_WEBHOOKS}:deliveries_query",
            arguments=(*_OWN, "text", 51),
            place=Place.FIRST,
            filters=("state",),
            index="webhook_deliveries_state_page",
            ordered=True,
        )
    ),
    CataloguedQuery(
        name="webhook_deliveries.find",
        source=f"{_WEBHOOKS}:_FIND_DELIVERY",
        arguments=(*_OWN, "delivery_id"),
        index=_DELIVERY,
    ),
    CataloguedQuery(
        name="webhook_deliveries.payload",
        source=f"{_WEBHOOKS}:_READ_PAYLOAD",
        arguments=(*_OWN, "delivery_id"),
        index=_DELIVERY,
    ),
    CataloguedQuery(
        name="webhook_deliveries.read",
        source=f"{_DELIVER}:_READ",
        arguments=("user_id", "delivery_id"),
        index=_DELIVERY,
    ),
    CataloguedQuery(
        name="webhook_deliveries.delivered",
        source=f"{_DELIVER}:_DELIVERED",
        arguments=("user_id", "delivery_id", 200, 1),
        index=_DELIVERY,
    ),
    CataloguedQuery(
        name="webhook_deliveries.failed",
        source=f"{_DELIVER}:_FAILED",
        arguments=("user_id", "delivery_id", 500, "text", 1, 1.0),
        index=_DELIVERY,
    ),
    CataloguedQuery(
        name="webhook_deliveries.wait",
        source=f"{_DELIVER}:_WAITS",
        arguments=("user_id", "delivery_id"),
        index=_DELIVERY,
    ),
    CataloguedQuery(
        name="webhook_deliveries.end",
        source=f"{_DELIVER}:_END",
        arguments=("user_id", "delivery_id", "text"),
        index=_DELIVERY,
    ),
    CataloguedQuery(
        name="webhook_deliveries.rescue",
        source="services.scheduler.rescue_deliveries:_TAKE",
        arguments=(500,),
        index="webhook_deliveries_due",
    ),
)
