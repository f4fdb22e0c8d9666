"""The items of a carousel: a container for each, made and finished before there can be one of them all.

Each id is committed as soon as it is answered. Whoever comes next keeps what is stored and makes only what is missing;
a container whose id was answered and not stored costs one of the 400 that an account may make a day, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from services.publisher.content import Content
from services.publisher.effects import judge
from services.publisher.formats import CarouselPlan
from services.publisher.progress import mark_child
from services.publisher.readiness import is_done, judge_ended, look, wait_done
from services.publisher.results import Deferred, Failed, Result, Retry
from services.publisher.workbench import Workbench
from shared.instagram import ContainerStatus, InstagramError
from shared.kill_points import kill_point
from shared.publications import Publication

_AT_A_TIME = 4  # calls for one publication: others want the platform too


async def make_children(
    work: Workbench, publication: Publication, content: Content, plan: CarouselPlan
) -> tuple[str, ...] | Result:
    """Bring every item to FINISHED, as far as this try comes.

    Returns:
        The items' container ids in the post's order, each FINISHED; or what came of the try without them.

    Raises:
        InstagramError: a container could not be read; nothing is lost.
        ClaimLostError: another worker took over.
    """
    made = await _make_missing(work, publication, content, plan)
    if not isinstance(made, Publication):
        return made
    stored = _stored(made, plan)
    stopped = await _wait_all(work, made, content, stored)
    if stopped is not None:
        return stopped
    kill_point("publisher.children_finished")
    return tuple(stored.values())


def _stored(publication: Publication, plan: CarouselPlan) -> dict[int, str]:
    """The containers that there are, by their items' places."""
    slots = zip(range(len(plan.items)), publication.child_container_ids, strict=False)
    return {place: container_id for place, container_id in slots if container_id is not None}


async def _make_missing(
    work: Workbench, publication: Publication, content: Content, plan: CarouselPlan
) -> Publication | Result:
    """Make what is missing. After a refusal none is begun, but what is under way is still stored."""
    rows, refusals = [publication], list[Result]()

    async def make(place: int) -> None:
        if refusals:
            return
        made = await _make(work, publication, content, plan, place=place)
        if isinstance(made, Publication):
            rows.append(made)
        else:
            refusals.append(made)

    stored = _stored(publication, plan)
    await _few_at_a_time(make, [place for place in range(len(plan.items)) if place not in stored])
    # Answers of the database may overtake each other: the row that has most is the latest.
    return refusals[0] if refusals else max(rows, key=lambda row: len(_stored(row, plan)))


async def _make(
    work: Workbench, publication: Publication, content: Content, plan: CarouselPlan, *, place: int
) -> Publication | Result:
    try:
        container_id = await work.graph.create_container(content.account, plan.items[place])
    except InstagramError as error:
        return _of_item(judge(error), place)
    kill_point("publisher.child_answered")
    marked = await mark_child(work, publication, container_id, position=place, count=len(plan.items))
    kill_point("publisher.child_committed")
    return marked


async def _wait_all(
    work: Workbench, publication: Publication, content: Content, stored: Mapping[int, str]
) -> Result | None:
    """None once all are FINISHED.

    Only the first that is not is polled: without it a look at the others would change nothing. Once it is, all others
    are looked at, so that one try finds every item that failed.
    """
    waiting = dict(stored)
    while waiting:
        first, *others = waiting
        status = await wait_done(work, publication, content, waiting[first])
        if isinstance(status, Deferred):
            return status
        statuses = await _look_at(work, content, {place: waiting[place] for place in others})
        statuses[first] = status
        failed = await _drop_ended(work, publication, statuses, count=len(stored))
        if failed is not None:
            return failed
        waiting = {place: waiting[place] for place in sorted(waiting) if not is_done(statuses[place])}
    return None


async def _look_at(
    work: Workbench, content: Content, containers: Mapping[int, str]
) -> dict[int, ContainerStatus | None]:
    found: dict[int, ContainerStatus | None] = {}

    async def look_at(place: int) -> None:
        found[place] = await look(work, content, containers[place])

    await _few_at_a_time(look_at, containers)
    return found


async def _drop_ended(
    work: Workbench, publication: Publication, statuses: Mapping[int, ContainerStatus | None], *, count: int
) -> Result | None:
    """Forget the containers that ended, and no others; what that means for the publication, None if all goes on."""
    results = list[Result]()
    for place, status in sorted(statuses.items()):
        ended = judge_ended(status) if status else None
        if ended is not None:
            await mark_child(work, publication, None, position=place, count=count)
            results.append(_of_item(ended, place))
    return next((result for result in results if isinstance(result, Failed)), results[0] if results else None)


def _of_item(result: Result, place: int) -> Result:
    """The same, telling which item it is about; the others are kept for the next try."""
    match result:
        case Retry():
            return replace(result, fault={**result.fault, "item": place + 1}, drop_container=False)
        case Failed():
            return replace(result, fault={**result.fault, "item": place + 1})
        case _:
            return result


async def _few_at_a_time(do: Callable[[int], Awaitable[None]], places: Iterable[int]) -> None:
    """Do it for each place. The first error ends the others and is raised."""
    turn = asyncio.Semaphore(_AT_A_TIME)

    async def in_turn(place: int) -> None:
        async with turn:
            await do(place)

    try:
        async with asyncio.TaskGroup() as tasks:
            for place in places:
                tasks.create_task(in_turn(place))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
