"""Connecting an account: its owner is sent to the platform's page, and comes back with a code."""

from __future__ import annotations

import secrets
from uuid import UUID

from services.api.accounts.contract import Account
from services.api.accounts.find_account import find_account
from services.api.audit.record import Subject, record_change
from services.api.call import Call
from services.api.http import Answer, NoQuery, ProblemError, answer, created, invalid, request_id_of
from services.api.oauth import store
from services.api.oauth.ask_grant import ask_grant
from services.api.oauth.connect_account import connect_account
from services.api.oauth.contract import Callback, Connecting, NewConnection
from services.api.platform import CALLBACK
from services.api.routing import get, post
from shared.accounts import open_egress
from shared.database import Connection, Row
from shared.instagram import INSTAGRAM_LOGIN, Egress, OAuthClient
from shared.security import TokenUnreadableError

_STATE_BYTES = 32
_DETAIL_CHARS_MAX = 500


async def begin_connection(call: Call[NoQuery, NewConnection]) -> Answer[Connecting]:
    """Begin to connect an account: send its owner to the address that is answered."""
    oauth, wish, state = _app(call), call.body, secrets.token_urlsafe(_STATE_BYTES)
    async with call.begin() as tx:
        await _require_known(tx, wish, user_id=call.user_id)
        expires_at = await store.begin(
            tx,
            state,
            user_id=call.user_id,
            actor=call.caller.key_id,
            protocol_id=wish.protocol_id,
            proxy_id=wish.proxy_id,
        )
        await call.audit(tx, "account.connection_begun", ("user", call.user_id), after=wish)
        url = oauth.authorize_url(state=state, scopes=INSTAGRAM_LOGIN.publish_scopes)
        return await call.keep(tx, answer(Connecting(authorize_url=url, expires_at=expires_at)))


async def end_connection(call: Call[Callback, None]) -> Answer[Account]:
    """Where the platform sends the owner back to: the account is made, or gets its new token."""
    deps, query, oauth = call.deps, call.query, _app(call)
    async with call.begin() as tx:
        begun = await store.take(tx, query.state or "")
    if begun is None or not begun["in_time"]:
        detail = "This connection was not begun here, was ended already, or is older than 10 minutes. Begin again."
        raise ProblemError("oauth_state_invalid", detail)
    egress = await _egress(call, begun)
    granted = await ask_grant(_code(query), oauth=oauth, graph=deps.platform.graph, egress=egress)
    async with call.begin() as tx:
        connected = await connect_account(tx, granted, begun, cipher=deps.cipher, settings=deps.settings)
        account = await find_account(tx, connected.account_id, user_id=begun["user_id"])
        await record_change(
            tx,
            "account.connected",
            Subject(type="account", id=account.id),
            user_id=begun["user_id"],
            actor=begun["actor"],
            request_id=request_id_of(call.request),
            after=account,
        )
    await deps.cache.invalidate_account(account.id, user_id=begun["user_id"])
    return created(account, path="/v1/accounts") if connected.is_new else answer(account)


def _app(call: Call[NoQuery, NewConnection] | Call[Callback, None]) -> OAuthClient:
    oauth = call.deps.platform.oauth
    if oauth is None:
        detail = "No app is configured here. Set INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET, or import a token."
        raise ProblemError("state_conflict", detail)
    return oauth


def _code(query: Callback) -> str:
    if query.error is not None:
        detail = f"The platform sent the owner back without access: {query.error_description or query.error}."
        raise ProblemError("oauth_denied", detail[:_DETAIL_CHARS_MAX])
    if not query.code:
        raise invalid("missing_field", "The parameter 'code' is needed.", path="code")
    return query.code


async def _require_known(tx: Connection, wish: NewConnection, *, user_id: UUID) -> None:
    if wish.protocol_id is not None and not await store.has_protocol(tx, wish.protocol_id):
        raise invalid("not_found", "There is no such warm-up protocol.", path="protocol_id")
    if wish.proxy_id is not None and await store.find_egress(tx, wish.proxy_id, user_id=user_id) is None:
        raise invalid("not_found", "There is no such proxy.", path="proxy_id")


async def _egress(call: Call[Callback, None], begun: Row) -> Egress | None:
    if begun["proxy_id"] is None:
        return None
    async with call.connect() as connection:
        row = await store.find_egress(connection, begun["proxy_id"], user_id=begun["user_id"])
    if row is None:
        raise ProblemError("state_conflict", "The proxy that was chosen is gone. Begin again with another.")
    try:
        return open_egress(row, call.deps.cipher, user_id=begun["user_id"])
    except (TokenUnreadableError, ValueError) as error:
        raise ProblemError("state_conflict", f"The proxy that was chosen cannot be used: {error}.") from error


ROUTES = [
    post(
        "/v1/accounts/connect",
        begin_connection,
        secret=True,
        problems=("state_conflict",),
    ),
    get(
        CALLBACK,
        end_connection,
        public=True,
        statuses=(200, 201),
        problems=(
            "oauth_state_invalid",
            "oauth_denied",
            "permissions_missing",
            "state_conflict",
            "platform_error",
            "timezone_required",
        ),
    ),
]
