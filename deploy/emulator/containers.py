"""Containers: made from a URL or from other containers, ready after a while, gone after a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from deploy.emulator.call import Call, no_such_object
from deploy.emulator.carousels import children_of
from deploy.emulator.creation import chosen_format
from deploy.emulator.details import read_details
from deploy.emulator.error_table import QUOTA_REACHED
from deploy.emulator.errors import GraphError
from deploy.emulator.fetching import fetched
from deploy.emulator.fields import project
from deploy.emulator.formats import PICTURE, MediaRules
from deploy.emulator.inspection import Inspected, check_thumbnail
from deploy.emulator.state import Container
from deploy.emulator.statuses import status_of

CONTAINERS_PER_DAY = 400

_FIELDS = frozenset({"id", "status_code", "status", "copyright_check_status", "video_status"})
_STATUS_TEXT = {
    "IN_PROGRESS": "In Progress: Media is still being processed.",
    "FINISHED": "Finished: Media has been uploaded and it is ready to be published.",
    "PUBLISHED": "Published: Media has been already published.",
    "EXPIRED": "Expired: The media was not published within 24 hours.",
}


async def create_container(call: Call) -> dict[str, Any]:
    """POST /{ig-user-id}/media.

    Raises:
        GraphError: bad parameters, too many containers, or (with `media_errors: at_creation`) an unusable picture.
    """
    call.require_own_account()
    container = _parse(call)
    _take_one_of_the_day(call)
    if container.media_url is None:
        container = _processed(call, container)
    elif container.format.media_type == "IMAGE" and call.options.media_errors == "at_creation":
        container = await _inspected(call, container)
    else:
        call.emulator.spawn(_inspect_later(call, container))
    call.world.add_container(container)
    call.container_id = container.id
    return {"id": container.id}


def _parse(call: Call) -> Container:
    wanted = chosen_format(call.params)
    now = call.now()
    return Container(
        id=call.world.new_id(),
        ig_user_id=call.account.ig_user_id,
        format=wanted,
        media_url=None if wanted.rules is None else call.params[f"{wanted.rules.kind}_url"],
        details=read_details(call.params, wanted),
        created_at=now,
        children=children_of(call, now) if wanted.rules is None else (),
    )


def _take_one_of_the_day(call: Call) -> None:
    now = call.now()
    if call.activity.containers_within_a_day(now) >= CONTAINERS_PER_DAY:
        # The platform's code for this is not known; this one tells a client to wait, which is the cure.
        raise GraphError(QUOTA_REACHED, f"More than {CONTAINERS_PER_DAY} containers in 24 hours")
    call.activity.created_at.append(now)


async def _inspected(call: Call, container: Container) -> Container:
    rules = container.format.rules
    if rules is None or container.media_url is None:
        raise AssertionError("only what has a medium of its own is inspected")
    found = await _inspect(call, container.media_url, rules)
    if container.details.cover_url:
        await _inspect(call, container.details.cover_url, PICTURE)
    elif container.details.thumb_offset_ms is not None:
        check_thumbnail(found, container.details.thumb_offset_ms)
    return _processed(call, replace(container, found=found))


async def _inspect(call: Call, url: str, rules: MediaRules) -> Inspected:
    emulator = call.emulator
    deadline_s = call.options.fetch_deadline_s
    async with (
        emulator.inspector.place(rules),
        fetched(emulator.session, url, rules=rules, deadline_s=deadline_s) as medium,
    ):
        return await emulator.inspector.inspect(medium, rules)


def _processed(call: Call, container: Container) -> Container:
    seconds, error, fault = call.options.processing_s, None, call.fault
    if fault is not None and fault.kind_name == "slow_processing":
        seconds = fault.seconds or 0.0
    elif fault is not None and fault.kind_name == "container_error":
        error = fault.error
    return replace(container, ready_at=call.now() + timedelta(seconds=seconds), error=error)


async def _inspect_later(call: Call, container: Container) -> None:
    try:
        container = await _inspected(call, container)
    except GraphError as error:
        container = replace(container, error=error.kind)
    if container.id in call.world.containers:
        call.world.containers[container.id] = container


async def get_container(call: Call) -> dict[str, Any]:
    """GET /{container-id}.

    Raises:
        GraphError: no such container of this account, or an unknown field.
    """
    call.container_id = call.node
    container = own_container(call, call.node)
    now = call.now()
    code = status_of(container, now)
    node = {"id": container.id, "status_code": code, "status": _status_text(call, container, code)}
    if container.format.media_type == "VIDEO":
        node |= _phases(code)
    return project(node, known=_FIELDS, fields=call.params.get("fields"), node_type="IGMediaBuilder")


def _status_text(call: Call, container: Container, code: str) -> str:
    if code != "ERROR" or container.error is None:
        return _STATUS_TEXT[code]
    number = container.error.subcode or container.error.code
    if call.options.answer_shape == "documented":
        return str(number)
    return f"Error: Media upload has failed with error code {number}"


def _phases(code: str) -> dict[str, Any]:
    phase = {"IN_PROGRESS": "in_progress", "ERROR": "error"}.get(code, "complete")
    matches = {"status": "in_progress" if code == "IN_PROGRESS" else "completed", "matches_found": False}
    return {"video_status": {"processing_phase": {"status": phase}}, "copyright_check_status": matches}


def own_container(call: Call, container_id: str) -> Container:
    """The container of this id if it is the calling account's.

    Raises:
        GraphError: there is none, or it is another account's.
    """
    container = call.world.containers.get(container_id)
    if container is None or container.ig_user_id != call.account.ig_user_id:
        raise no_such_object(container_id)
    return container
