"""The life of tokens: a code becomes a short one, that a long one, and that another long one."""

from __future__ import annotations

from typing import Any

from deploy.emulator.call import Call
from deploy.emulator.error_table import AUTHORIZATION_REFUSED, INVALID_PARAMETER, TOKEN_INVALID
from deploy.emulator.errors import GraphError
from deploy.emulator.options import Options
from deploy.emulator.tokens import LONG_LIFE, REFRESHABLE_AFTER, Token


async def exchange_code(call: Call) -> dict[str, Any]:
    """POST /oauth/access_token: a short-lived token for the code of a consent.

    Raises:
        GraphError: the application is another, or the code was given for another redirect_uri.
    """
    params, tokens, now = call.params, call.world.tokens, call.now()
    code = tokens.code(params["code"], now=now)
    if code is None:
        raise AssertionError("the call was found to be its account's by this code")
    if params.get("grant_type") != "authorization_code":
        raise _refused("grant_type must be authorization_code")
    if not params.get("client_id") or params["client_id"] != code.client_id:
        raise _refused("client_id is not the application that asked for the code")
    if not is_secret(call.options, params.get("client_secret")):
        raise _refused("client_secret is wrong")
    if params.get("redirect_uri") != code.redirect_uri:
        raise _refused("redirect_uri must be the one used in the authorization request")
    tokens.use_code(code)
    token = tokens.issue(code.ig_user_id, now=now, is_short=True)
    # The id is the one within the application, not the one in paths: as on the platform.
    user_id, permissions = call.account.app_scoped_id, sorted(code.permissions)
    if call.options.answer_shape == "documented":
        answer = {"access_token": token.text, "user_id": user_id, "permissions": ",".join(permissions)}
        return {"data": [answer]}
    return {"access_token": token.text, "user_id": int(user_id), "permissions": permissions}


async def exchange_token(call: Call) -> dict[str, Any]:
    """GET /access_token: a long-lived token for a short-lived one, which stays as it is.

    Raises:
        GraphError: another grant_type, a wrong secret, or a token that is long-lived already.
    """
    token = _token(call, grant_type="ig_exchange_token")
    if not is_secret(call.options, call.required("client_secret")):
        raise GraphError(INVALID_PARAMETER, "(#100) Error validating client secret")
    if not token.is_short:
        raise GraphError(INVALID_PARAMETER, "(#100) Only a short-lived token can be exchanged")
    return _granted(call, call.world.tokens.issue(token.ig_user_id, now=call.now()))


async def refresh_token(call: Call) -> dict[str, Any]:
    """GET /refresh_access_token: 60 more days for a long-lived token that is 24 h old.

    Raises:
        GraphError: another grant_type, or a token that is short-lived or too young.
    """
    token, now = _token(call, grant_type="ig_refresh_token"), call.now()
    if token.is_short:
        raise GraphError(INVALID_PARAMETER, "(#100) A short-lived token cannot be refreshed")
    if now < token.issued_at + REFRESHABLE_AFTER:
        raise GraphError(INVALID_PARAMETER, "(#100) A token must be at least 24 hours old to be refreshed")
    if call.options.refresh_gives == "same":
        token.issued_at, token.expires_at = now, now + LONG_LIFE
        return _granted(call, token)
    if call.options.refresh_ends_old:
        token.ended_by = TOKEN_INVALID
    return _granted(call, call.world.tokens.issue(token.ig_user_id, now=now))


def is_secret(options: Options, secret: str | None) -> bool:
    """Whether an application's secret is right."""
    return bool(secret) and options.app_secret in {"", secret}


def _token(call: Call, *, grant_type: str) -> Token:
    if call.required("grant_type") != grant_type:
        raise GraphError(INVALID_PARAMETER, f"(#100) grant_type must be {grant_type}")
    return call.world.tokens.opened_by(call.access_token, now=call.now())


def _granted(call: Call, token: Token) -> dict[str, Any]:
    answer = {
        "access_token": token.text,
        "token_type": "bearer",
        "expires_in": round((token.expires_at - call.now()).total_seconds()),
    }
    if call.options.answer_shape == "documented":
        return answer
    return answer | {"permissions": ",".join(sorted(call.activity.permissions))}


def _refused(reason: str) -> GraphError:
    return GraphError(AUTHORIZATION_REFUSED, f"Error validating the authorization code: {reason}")
