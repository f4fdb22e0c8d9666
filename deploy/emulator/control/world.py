"""Time, permissions and a new beginning."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from deploy.emulator.control.bodies import Advance, Grant, RefusedError, converted, known_account, read_json
from deploy.emulator.options import Options
from deploy.emulator.runtime import Emulator


async def show_clock(_request: web.Request, emulator: Emulator) -> dict[str, Any]:
    """GET /_emulator/clock: the emulator's time, and how far it is ahead."""
    return {"now": emulator.clock.now(), "ahead_s": emulator.clock.ahead_s()}


async def advance_clock(request: web.Request, emulator: Emulator) -> dict[str, Any]:
    """POST /_emulator/clock.

    Raises:
        RefusedError: no number of seconds, or a negative one.
    """
    try:
        emulator.clock.advance(converted(await read_json(request), Advance).advance_s)
    except OverflowError as error:
        raise RefusedError("The clock is too far ahead already; POST /_emulator/reset returns it.") from error
    return await show_clock(request, emulator)


async def set_permissions(request: web.Request, emulator: Emulator) -> dict[str, Any]:
    """POST /_emulator/permissions: what an account grants from now on, to every token it has.

    Raises:
        RefusedError: no such account or permission.
    """
    grant = converted(await read_json(request), Grant)
    known_account(emulator.world, grant.ig_user_id)
    emulator.world.activity[grant.ig_user_id].permissions = frozenset(grant.permissions)
    return {"ig_user_id": grant.ig_user_id, "permissions": sorted(grant.permissions)}


async def reset(request: web.Request, emulator: Emulator) -> dict[str, Any]:
    """POST /_emulator/reset: forget all but the accounts of the start; options return to those of the start.

    Raises:
        RefusedError: an option that does not exist, or cannot be so.
    """
    changes = converted(await read_json(request), dict[str, Any])
    merged = {**msgspec.to_builtins(emulator.start_options), **changes}
    emulator.reset(converted(merged, Options))
    return {"accounts": len(emulator.world.accounts), "options": emulator.options}
