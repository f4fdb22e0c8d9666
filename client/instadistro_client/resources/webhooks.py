"""Webhooks, and what was delivered through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import Delivery, Webhook, WebhookWithSecret
from instadistro_client.unset import UNSET, UnsetType, given, stated


class Webhooks(Resource):
    """`/v1/webhooks`."""

    def list(self) -> Listing[Webhook]:
        """The webhooks, newest first."""
        return self._list("/v1/webhooks", Webhook)

    async def get(self, webhook_id: Id) -> Webhook:
        """One webhook."""
        return await self._get(f"/v1/webhooks/{webhook_id}", Webhook)

    async def create(
        self, *, url: str, events: Sequence[str] | None = None, description: str | None = None
    ) -> WebhookWithSecret:
        """Have events sent to an address. The answer's secret checks their signatures; it is shown this once."""
        body = stated(url=url, events=events, description=description)
        return cast("WebhookWithSecret", await self._post("/v1/webhooks", WebhookWithSecret, body=body))

    async def update(
        self,
        webhook_id: Id,
        *,
        url: str | UnsetType = UNSET,
        events: Sequence[str] | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        state: str | UnsetType = UNSET,
    ) -> Webhook:
        """Change a webhook; what is left out stays."""
        body = given(url=url, events=events, description=description, state=state)
        return await self._patch(f"/v1/webhooks/{webhook_id}", Webhook, body)

    async def remove(self, webhook_id: Id) -> None:
        """Remove a webhook with its log."""
        await self._delete(f"/v1/webhooks/{webhook_id}", None)

    async def rotate_secret(self, webhook_id: Id) -> WebhookWithSecret:
        """Make a new secret; for a day the one before signs too."""
        path = f"/v1/webhooks/{webhook_id}/rotate-secret"
        return cast("WebhookWithSecret", await self._post(path, WebhookWithSecret))

    async def test(self, webhook_id: Id) -> Delivery:
        """Send a test event."""
        return cast("Delivery", await self._post(f"/v1/webhooks/{webhook_id}/test", Delivery))

    def deliveries(self, webhook_id: Id, *, state: str | None = None) -> Listing[Delivery]:
        """What was sent, newest first."""
        return self._list(f"/v1/webhooks/{webhook_id}/deliveries", Delivery, state=state)

    async def redeliver(self, webhook_id: Id, delivery_id: Id) -> Delivery:
        """Send an event again, under its own id."""
        path = f"/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"
        return cast("Delivery", await self._post(path, Delivery))
