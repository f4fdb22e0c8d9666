"""`/v1/webhooks`: where a tenant's events are sent."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.call import Call
from services.api.http import (
    Answer,
    NoQuery,
    Page,
    PageQuery,
    ProblemError,
    Scope,
    answer,
    answer_page,
    created,
    fetch_page,
    no_content,
    not_found,
)
from services.api.keys.store import lock_tenant
from services.api.routing import delete, get, patch, post
from services.api.webhooks import store
from services.api.webhooks.check_webhook import check_change, check_webhook
from services.api.webhooks.contract import NewWebhook, Webhook, WebhookChange, WebhookState, WebhookWithSecret
from services.api.webhooks.seal_secret import renew_secret, seal_new_secret
from shared.database import Connection

_MOST = 20
_PATH = "/v1/webhooks"


async def list_webhooks(call: Call[PageQuery, None]) -> Answer[Page[Webhook]]:
    """One page of the tenant's webhooks."""
    async with call.connect() as connection:
        page = await fetch_page(connection, store.LIST, [call.user_id], page=call.page, present=store.present)
    return answer_page(call.request, page)


async def add_webhook(call: Call[NoQuery, NewWebhook]) -> Answer[WebhookWithSecret]:
    """Make a webhook; its signing secret is shown this once."""
    new = check_webhook(call.body, private_networks=_may_be_private(call))
    webhook_id = uuid7()
    secret, sealed = seal_new_secret(call.deps.cipher, webhook_id, user_id=call.user_id)
    async with call.begin() as tx:
        await lock_tenant(tx, user_id=call.user_id)
        if await store.count(tx, user_id=call.user_id) >= _MOST:
            raise ProblemError("state_conflict", f"There are {_MOST} webhooks already. Remove one first.")
        await store.insert(tx, webhook_id, new, sealed, user_id=call.user_id)
        webhook = await _find(tx, webhook_id, user_id=call.user_id)
        await call.audit(tx, "webhook.created", ("webhook", webhook_id), after=webhook)
        return await call.keep(tx, created(_with_secret(webhook, secret), path=_PATH))


async def get_webhook(call: Call[NoQuery, None]) -> Answer[Webhook]:
    """One webhook."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("webhook"), user_id=call.user_id))


async def change_webhook(call: Call[NoQuery, WebhookChange]) -> Answer[Webhook]:
    """Change a webhook; enabled anew, it gets what happens from now on."""
    webhook_id = call.id("webhook")
    async with call.begin() as tx:
        before = await _lock(tx, webhook_id, user_id=call.user_id)
        call.require_match(answer(before))
        new = check_change(call.body, before, private_networks=_may_be_private(call))
        begins_anew = before.state == WebhookState.DISABLED and new.state == WebhookState.ENABLED
        await store.update(tx, webhook_id, new, user_id=call.user_id, begins_anew=begins_anew)
        after = await _find(tx, webhook_id, user_id=call.user_id)
        await call.audit(tx, "webhook.changed", ("webhook", webhook_id), before=before, after=after)
    return answer(after)


async def remove_webhook(call: Call[NoQuery, None]) -> Answer[None]:
    """Remove a webhook with its deliveries; what waits is not sent."""
    webhook_id = call.id("webhook")
    async with call.begin() as tx:
        before = await _lock(tx, webhook_id, user_id=call.user_id)
        call.require_match(answer(before))
        await store.delete(tx, webhook_id, user_id=call.user_id)
        await call.audit(tx, "webhook.removed", ("webhook", webhook_id), before=before)
    return no_content()


async def rotate_secret(call: Call[NoQuery, None]) -> Answer[WebhookWithSecret]:
    """Give a webhook another secret; for 24 hours the one before signs too."""
    webhook_id = call.id("webhook")
    async with call.begin() as tx:
        await _lock(tx, webhook_id, user_id=call.user_id)
        secret = await renew_secret(tx, call.deps.cipher, webhook_id, user_id=call.user_id)
        webhook = await _find(tx, webhook_id, user_id=call.user_id)
        await call.audit(tx, "webhook.secret_rotated", ("webhook", webhook_id), after=webhook)
        return await call.keep(tx, answer(_with_secret(webhook, secret)))


async def _find(connection: Connection, webhook_id: UUID, *, user_id: UUID) -> Webhook:
    row = await store.find(connection, webhook_id, user_id=user_id)
    if row is None:
        raise not_found("webhook")
    return store.present(row)


async def _lock(tx: Connection, webhook_id: UUID, *, user_id: UUID) -> Webhook:
    row = await store.lock(tx, webhook_id, user_id=user_id)
    if row is None:
        raise not_found("webhook")
    return store.present(row)


def _with_secret(webhook: Webhook, secret: str) -> WebhookWithSecret:
    shown = {name: getattr(webhook, name) for name in webhook.__struct_fields__}
    return WebhookWithSecret(**shown, secret=secret)


def _may_be_private(call: Call[NoQuery, NewWebhook] | Call[NoQuery, WebhookChange]) -> bool:
    return call.deps.settings.webhook_private_networks == "on"


ROUTES = [
    get(_PATH, list_webhooks, scope=Scope.ADMIN),
    post(_PATH, add_webhook, scope=Scope.ADMIN, statuses=(201,), problems=("state_conflict",), secret=True),
    get(f"{_PATH}/{{id}}", get_webhook, scope=Scope.ADMIN),
    patch(f"{_PATH}/{{id}}", change_webhook, scope=Scope.ADMIN),
    delete(f"{_PATH}/{{id}}", remove_webhook, scope=Scope.ADMIN),
    post(f"{_PATH}/{{id}}/rotate-secret", rotate_secret, scope=Scope.ADMIN, secret=True),
]
