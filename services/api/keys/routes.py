"""`/v1/api-keys`: who may speak for the tenant."""

from __future__ import annotations

from uuid import UUID

from services.api.call import Call
from services.api.http import (
    Answer,
    NoQuery,
    Page,
    PageQuery,
    Scope,
    answer,
    answer_page,
    created,
    fetch_page,
    no_content,
    not_found,
)
from services.api.keys import store
from services.api.keys.change_key import change_key, revoke_key
from services.api.keys.contract import ApiKey, KeyChanges, MadeApiKey, NewKey, Rotation
from services.api.keys.create_key import create_key, with_secret
from services.api.keys.lock_keys import lock_keys
from services.api.keys.rotate_key import rotate_key
from services.api.routing import delete, get, patch, post
from shared.database import Connection
from shared.security import new_api_key

_PATH = "/v1/api-keys"


async def list_keys(call: Call[PageQuery, None]) -> Answer[Page[ApiKey]]:
    """One page of the tenant's API keys, those that work no more included."""
    async with call.connect() as connection:
        page = await fetch_page(connection, store.LIST, [call.user_id], page=call.page, present=store.present)
    return answer_page(call.request, page)


async def get_key(call: Call[NoQuery, None]) -> Answer[ApiKey]:
    """One API key, without its secret."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("API key"), user_id=call.user_id))


async def add_key(call: Call[NoQuery, NewKey]) -> Answer[MadeApiKey]:
    """Make an API key; its secret is shown this once."""
    made = new_api_key(call.deps.settings.api_key_pepper)
    async with call.begin() as tx:
        caller = await lock_keys(tx, call.caller)
        key = await create_key(tx, call.body, made=made, caller=caller)
        await call.audit(tx, "api_key.created", ("api_key", key.id), after=key)
        return await call.keep(tx, created(with_secret(key, made), path=_PATH))


async def change(call: Call[NoQuery, KeyChanges]) -> Answer[ApiKey]:
    """Change an API key; what is left out stays as it is."""
    async with call.begin() as tx:
        caller = await lock_keys(tx, call.caller)
        before = await _find(tx, call.id("API key"), user_id=call.user_id)
        call.require_match(answer(before))
        after = await change_key(tx, before, call.body, caller=caller)
        await call.audit(tx, "api_key.changed", ("api_key", after.id), before=before, after=after)
    call.deps.guards.authenticator.records.forget(after.key_id)
    return answer(after)


async def revoke(call: Call[NoQuery, None]) -> Answer[None]:
    """Revoke an API key, for good; it still works for up to 5 s."""
    async with call.begin() as tx:
        await lock_keys(tx, call.caller)
        before = await _find(tx, call.id("API key"), user_id=call.user_id)
        call.require_match(answer(before))
        if before.revoked_at is None:
            after = await revoke_key(tx, before, user_id=call.user_id)
            await call.audit(tx, "api_key.revoked", ("api_key", after.id), before=before, after=after)
    call.deps.guards.authenticator.records.forget(before.key_id)
    return no_content()


async def rotate(call: Call[NoQuery, Rotation]) -> Answer[MadeApiKey]:
    """Make an API key that takes over from this one; both work until the overlap ends."""
    made = new_api_key(call.deps.settings.api_key_pepper)
    async with call.begin() as tx:
        caller = await lock_keys(tx, call.caller)
        before = await _find(tx, call.id("API key"), user_id=call.user_id)
        after = await rotate_key(tx, before, call.body, made=made, caller=caller)
        await call.audit(tx, "api_key.rotated", ("api_key", before.id), before=before, after=after)
        kept = await call.keep(tx, created(with_secret(after, made), path=_PATH))
    call.deps.guards.authenticator.records.forget(before.key_id)
    return kept


async def _find(connection: Connection, key: UUID, *, user_id: UUID) -> ApiKey:
    found = await store.find(connection, key, user_id=user_id)
    if found is None:
        raise not_found("API key")
    return found


ROUTES = [
    get(_PATH, list_keys, scope=Scope.ADMIN),
    post(
        _PATH,
        add_key,
        scope=Scope.ADMIN,
        statuses=(201,),
        secret=True,
        problems=("state_conflict", "timezone_required", "time_in_past"),
    ),
    get(f"{_PATH}/{{id}}", get_key, scope=Scope.ADMIN),
    patch(
        f"{_PATH}/{{id}}",
        change,
        scope=Scope.ADMIN,
        problems=("state_conflict", "timezone_required", "time_in_past"),
    ),
    delete(f"{_PATH}/{{id}}", revoke, scope=Scope.ADMIN, problems=("state_conflict",)),
    post(
        f"{_PATH}/{{id}}/rotate",
        rotate,
        scope=Scope.ADMIN,
        statuses=(201,),
        secret=True,
        problems=("state_conflict", "timezone_required", "time_in_past"),
    ),
]
