"""Everything that would keep a post from being published, without publishing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from services.api.deps import Deps
from services.api.http import Caller, Fault, ProblemError
from services.api.media.fetch_publicly import require_reachable
from services.api.posts.check_content import content_faults
from services.api.posts.content import Content
from services.api.posts.contract import Validate, Validation
from services.api.posts.publish_post import choose_targets
from services.api.publications.choose_targets import require_no_duplicates, require_publishable
from shared.database import Connection
from shared.publications import Target


async def find_faults(
    connection: Connection, post_id: UUID, content: Content, wish: Validate, *, caller: Caller
) -> tuple[list[Fault], list[Fault]]:
    """What publishing would be refused for, and what may not be meant, as far as this system knows by itself."""
    faults = await content_faults(connection, content, caller=caller)
    targets: Sequence[Target] | None = None
    if wish.account_ids is not None or wish.group_id is not None:
        with _noting(faults):
            targets = await choose_targets(connection, wish.account_ids, wish.group_id, caller=caller)
    with _noting(faults):
        require_publishable(targets or [])
    with _noting(faults):
        if not wish.allow_duplicate:
            await require_no_duplicates(connection, targets or [], post_id=post_id, user_id=caller.user_id)
    return faults, [] if targets is None else list(_unused_overrides(content, targets, caller=caller))


async def try_media(deps: Deps, post_id: UUID, *, user_id: UUID) -> tuple[list[Fault], list[Fault]]:
    """The same of what is seen from outside. Hold no transaction meanwhile."""
    faults: list[Fault] = []
    with _noting(faults):
        await require_reachable(deps, post_id, user_id=user_id)
    message = "Nobody tried whether the platform can fetch the media: PUBLIC_FETCH_TEST is off."
    untried = [Fault(code="media_untried", message=message)] if deps.public_fetch is None else []
    return faults, untried


def conclude(errors: list[Fault], warnings: list[Fault]) -> Validation:
    """The answer."""
    return Validation(valid=not errors, errors=errors, warnings=warnings)


@contextmanager
def _noting(faults: list[Fault]) -> Iterator[None]:
    """Note what a check refuses, and go on."""
    try:
        yield
    except ProblemError as problem:
        faults += problem.errors or [Fault(code=problem.code, message=problem.detail)]


def _unused_overrides(content: Content, targets: Sequence[Target], *, caller: Caller) -> Iterator[Fault]:
    reached = {target.account_id for target in targets}
    for account_id in content.own_captions:
        if account_id not in reached and caller.sees(account_id):
            message = "This account has a caption of its own, and the post would not be published on it."
            yield Fault(code="override_unused", message=message, path="overrides", account_id=account_id)
