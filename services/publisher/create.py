"""The container that is published: made at once, or of the items of a carousel once they are FINISHED."""

from __future__ import annotations

from services.publisher.children import make_children
from services.publisher.content import Content
from services.publisher.formats import CarouselPlan
from services.publisher.progress import mark_created
from services.publisher.results import Result
from services.publisher.workbench import Workbench
from shared.instagram import ContainerSpec
from shared.kill_points import kill_point
from shared.publications import Publication


async def create(work: Workbench, publication: Publication, content: Content) -> Publication | Result:
    """Make it and commit its id; a Result instead where this try does not come so far.

    Raises:
        InstagramError: it was not made, or made unseen: then it expires.
        ClaimLostError: another worker took over.
    """
    spec = await _spec(work, publication, content)
    if isinstance(spec, Result):
        return spec
    container_id = await work.graph.create_container(content.account, spec)
    kill_point("publisher.container_answered")
    created = await mark_created(work, publication, container_id)
    kill_point("publisher.container_committed")
    return created


async def _spec(work: Workbench, publication: Publication, content: Content) -> ContainerSpec | Result:
    plan = content.plan
    if not isinstance(plan, CarouselPlan):
        return plan
    children = await make_children(work, publication, content, plan)
    return plan.parent(children) if isinstance(children, tuple) else children
