"""The items of a carousel."""

from __future__ import annotations

from datetime import datetime

import msgspec

from deploy.emulator.call import Call, no_such_object
from deploy.emulator.error_table import CAROUSEL_SIZE, INVALID_PARAMETER, UNKNOWN_CREATION_ID
from deploy.emulator.errors import GraphError
from deploy.emulator.state import Container
from deploy.emulator.statuses import REFUSALS, status_of

ITEMS_MIN = 2
ITEMS_MAX = 10


def children_of(call: Call, now: datetime) -> tuple[Container, ...]:
    """The items that a new carousel names, in their order.

    Raises:
        GraphError: too few or too many, one twice, or one that is no FINISHED item of this account.
    """
    ids = _ids(call.params.get("children", ""))
    if not ITEMS_MIN <= len(ids) <= ITEMS_MAX:
        raise GraphError(CAROUSEL_SIZE, f"A carousel takes {ITEMS_MIN} to {ITEMS_MAX} items, not {len(ids)}")
    if len(set(ids)) < len(ids):
        raise GraphError(INVALID_PARAMETER, "(#100) Param children names an item twice")
    return tuple(_child(call, each, now) for each in ids)


def _ids(text: str) -> list[str]:
    if not text.startswith("["):
        return [each.strip() for each in text.split(",") if each.strip()]
    try:
        return [str(each) for each in msgspec.json.decode(text, type=list[str | int])]
    except (ValueError, RecursionError) as error:
        raise GraphError(INVALID_PARAMETER, f"(#100) Param children: {error}") from error


def _child(call: Call, child_id: str, now: datetime) -> Container:
    child = call.world.containers.get(child_id)
    if child is None:
        raise GraphError(UNKNOWN_CREATION_ID)
    if child.ig_user_id != call.account.ig_user_id:
        raise no_such_object(child_id)
    if not child.format.is_item:
        raise GraphError(INVALID_PARAMETER, f"(#100) {child_id} was not made with is_carousel_item")
    require_usable(call, child, now)
    return child


def require_usable(call: Call, container: Container, now: datetime) -> None:
    """Make sure that a container can be put into a carousel, or be published, now.

    Raises:
        GraphError: it is not FINISHED, or used up and `double_publish` does not allow it.
    """
    status = status_of(container, now)
    is_twice = status == "PUBLISHED" and call.options.double_publish == "twice"
    if status != "FINISHED" and not is_twice:
        raise GraphError(REFUSALS[status])
