"""What the control routes accept, and how they refuse."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from deploy.emulator.state import ACCOUNTS_MAX, World
from deploy.emulator.tokens import PERMISSIONS
from deploy.emulator.usage import DAY_S

_T = TypeVar("_T")


class RefusedError(Exception):
    """The control call is refused; the sentence says why."""


class NewAccount(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One account to add; what is left out is made up."""

    ig_user_id: Annotated[str, Meta(pattern=r"\A[1-9][0-9]{0,24}\Z")] | None = None
    username: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._]{1,30}\Z")] | None = None
    access_token: Annotated[str, Meta(pattern=r"\A[!-~]{1,512}\Z")] | None = None


class NewAccounts(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A number of accounts to make up."""

    count: Annotated[int, Meta(ge=1, le=ACCOUNTS_MAX)]


class NewFault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A fault to order. What an error says may be replaced; `seconds` is for kinds that take time."""

    endpoint: str
    kind: str
    times: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    ig_user_id: str | None = None
    code: int | None = None
    subcode: int | None = None
    http_status: Annotated[int, Meta(ge=400, le=599)] | None = None
    message: str | None = None
    is_transient: bool | None = None
    seconds: Annotated[float, Meta(ge=0, le=DAY_S)] | None = None
    probability: Annotated[float, Meta(gt=0, le=1)] = 1.0
    seed: int = 0


class Advance(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How far the clock goes forward; a year at most in one step."""

    advance_s: Annotated[float, Meta(ge=0, le=366 * DAY_S)]


class Grant(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What an account grants the application from now on."""

    ig_user_id: str
    permissions: list[Literal[PERMISSIONS]]  # type: ignore[valid-type]


def known_account(world: World, ig_user_id: str | None) -> str | None:
    """The id, if it is None or an account's.

    Raises:
        RefusedError: there is no such account.
    """
    if ig_user_id is not None and ig_user_id not in world.accounts:
        raise RefusedError(f"There is no account {ig_user_id!r}.")
    return ig_user_id


def check_endpoint(endpoint: str, known: tuple[str, ...]) -> None:
    """Make sure that an endpoint is one of those known.

    Raises:
        RefusedError: it is not; the sentence lists them.
    """
    if endpoint not in known:
        raise RefusedError(f"endpoint {endpoint!r} is none of: {', '.join(known)}.")


async def read_json(request: web.Request) -> Any:
    """The body as JSON; an empty one is an empty object.

    Raises:
        RefusedError: it is too large or no JSON.
    """
    try:
        return msgspec.json.decode(await request.read() or b"{}")
    except web.HTTPRequestEntityTooLarge as error:
        raise RefusedError("The body is too large.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(f"The body is not JSON: {error}.") from error


def converted(body: Any, wanted: type[_T]) -> _T:
    """The body as a value of the wanted type.

    Raises:
        RefusedError: a field is missing, unknown or wrong; the sentence names it.
    """
    try:
        return msgspec.convert(body, wanted)
    except msgspec.ValidationError as error:
        raise RefusedError(f"{error}.") from error
