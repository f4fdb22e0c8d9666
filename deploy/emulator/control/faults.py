from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web

from deploy.emulator.control.bodies import (
    NewFault,
    RefusedError,
    check_endpoint,
    converted,
    known_account,
    read_json,
)
from deploy.emulator.error_table import error_kind
from deploy.emulator.errors import ErrorKind
from deploy.emulator.faults import ANY, ENDPOINTS, KINDS, Fault, FaultKind
from deploy.emulator.runtime import Emulator


async def list_faults(_request: web.Request, emulator: Emulator) -> list[dict[str, Any]]:
    """GET /_emulator/faults: what is left of them."""
    return [fault.as_json() for fault in emulator.world.faults.left()]


async def clear_faults(_request: web.Request, emulator: Emulator) -> list[Any]:
    """DELETE /_emulator/faults: forget those that wait. What they began, such as a throttle, goes on."""
    emulator.world.faults.clear()
    return []


async def add_fault(request: web.Request, emulator: Emulator) -> dict[str, Any]:
    """POST /_emulator/faults.

    Raises:
        RefusedError: an unknown endpoint, kind or account, or a field that means nothing to the kind.
    """
    new = converted(await read_json(request), NewFault)
    check_endpoint(new.endpoint, (*ENDPOINTS, ANY))
    kind = _known_kind(new)
    fault = Fault(
        endpoint=new.endpoint,
        kind_name=new.kind,
        left=new.times,
        ig_user_id=known_account(emulator.world, new.ig_user_id),
        error=_fault_error(new, kind),
        seconds=new.seconds,
        probability=new.probability,
        seed=new.seed,
    )
    try:
        emulator.world.faults.add(fault)
    except ValueError as error:
        raise RefusedError(f"{error}.") from error
    return fault.as_json()


def _known_kind(new: NewFault) -> FaultKind:
    kind = KINDS.get(new.kind)
    if kind is None:
        raise RefusedError(f"kind {new.kind!r} is none of: {', '.join(KINDS)}.")
    if new.endpoint not in {ANY, *kind.endpoints}:
        raise RefusedError(f"endpoint: the kind {new.kind!r} happens to {', '.join(kind.endpoints)} only.")
    if new.seconds is not None and not kind.takes_seconds:
        raise RefusedError(f"seconds means nothing to the kind {new.kind!r}.")
    if new.seconds is None and new.kind == "slow_processing":
        raise RefusedError("slow_processing needs seconds.")
    return kind


def _fault_error(new: NewFault, kind: FaultKind) -> ErrorKind | None:
    said: dict[str, Any] = {
        "http_status": new.http_status,
        "message": new.message,
        "is_transient": new.is_transient,
    }
    changes = {name: value for name, value in said.items() if value is not None}
    if kind.error is None:
        if changes or new.code is not None or new.subcode is not None:
            raise RefusedError(f"code, subcode, http_status, message and is_transient mean nothing to {new.kind!r}.")
        return None
    if new.code is None and new.subcode is not None:
        raise RefusedError("subcode needs a code.")
    error = kind.error if new.code is None else error_kind(new.code, new.subcode)
    return replace(error, **changes)
