"""The parameters of a Graph call, wherever they stand, and whose call it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from deploy.emulator.error_table import AUTHORIZATION_REFUSED, INVALID_PARAMETER
from deploy.emulator.errors import GraphError
from deploy.emulator.state import Account, World

_TOKEN = "access_token"  # noqa: S105 - the name of a parameter


async def read_parameters(request: web.Request) -> dict[str, str]:
    """Query and body (form or JSON) in one; the body wins.

    Raises:
        GraphError: the body cannot be read.
    """
    params = dict(request.query)
    if not request.can_read_body:
        return params
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


def caller(
    world: World, request: web.Request, params: dict[str, str], *, by_code: bool, now: datetime
) -> tuple[Account, str]:
    """The account that the call's token opens, and that token, taken out of `params`; or the account of the code.

    Raises:
        GraphError: no token or code, an unknown one, or one that has ended.
    """
    if by_code:
        code = world.tokens.code(params.get("code", ""), now=now)
        if code is None:
            raise GraphError(AUTHORIZATION_REFUSED, "Invalid authorization code: unknown, used or expired")
        return world.accounts[code.ig_user_id], ""
    scheme, _, header_token = request.headers.get("Authorization", "").partition(" ")
    parameter_token = params.pop(_TOKEN, None)
    text = header_token.strip() if scheme.lower() == "bearer" else parameter_token
    token = world.tokens.opened_by(text, now=now)
    return world.accounts[token.ig_user_id], token.text
