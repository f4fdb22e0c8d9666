"""The parameters of a Graph call, wherever they stand, and the token among them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from deploy.emulator.errors import INVALID_PARAMETER, TOKEN_EXPIRED, TOKEN_INVALID, GraphError
from deploy.emulator.state import Account, World

_TOKEN = "access_token"  # noqa: S105 - the name of a parameter


async def read_parameters(request: web.Request) -> dict[str, str]:
    """Query and body (form or JSON) in one; the body wins.

    Raises:
        GraphError: the body cannot be read.
    """
    params = dict(request.query)
    try:
        if request.content_type == "application/json":
            params.update(_texts(msgspec.json.decode(await request.read() or b"{}")))
        else:
            params.update({name: value for name, value in (await request.post()).items() if isinstance(value, str)})
    except web.HTTPRequestEntityTooLarge as error:
        raise GraphError(INVALID_PARAMETER, "(#100) The request is too large") from error
    except (ValueError, LookupError, RecursionError, AttributeError) as error:
        raise GraphError(INVALID_PARAMETER, "(#100) The body of the request cannot be read") from error
    return params


def _texts(body: Any) -> Iterable[tuple[str, str]]:
    for name, value in body.items():
        if value is not None:
            yield name, value if isinstance(value, str) else msgspec.json.encode(value).decode()


def authenticate(world: World, request: web.Request, params: dict[str, str], *, now: datetime) -> Account:
    """The account that the call's token opens. Takes the token out of `params`.

    Raises:
        GraphError: no token, an unknown one, or one that has expired.
    """
    scheme, _, header_token = request.headers.get("Authorization", "").partition(" ")
    parameter_token = params.pop(_TOKEN, None)
    token = header_token.strip() if scheme.lower() == "bearer" else parameter_token
    account = world.by_token.get(token) if token else None
    if account is None:
        raise GraphError(TOKEN_INVALID)
    if account.token_expires_at <= now:
        raise GraphError(TOKEN_EXPIRED)
    return account
