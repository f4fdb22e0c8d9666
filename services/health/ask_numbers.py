"""Asking the platform for numbers, and what its refusals mean."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from services.health.due_numbers import DueMedium, Subject
from services.health.snapshots import Snapshot, Source
from shared.instagram import (
    ACCOUNT_METRICS,
    MEDIA_METRICS,
    ErrorClass,
    GraphAccount,
    GraphClient,
    GraphError,
    Insights,
    InstagramError,
    MediaProduct,
    PlatformGate,
)

log = structlog.get_logger()

_UNANSWERED_S = 3_600.0
_DAY = timedelta(days=1)
_PROFILE_METRICS = ("followers_count", "media_count")

_MISSING_PERMISSION = frozenset({3, 10, *range(200, 300)})
_ACCESS = frozenset({ErrorClass.REAUTH, ErrorClass.RESTRICTED, ErrorClass.SPAM_SUSPECTED})
# Any other refusal is about the very thing that was asked for, such as a medium that its owner deleted.
_COME_BACK = frozenset({ErrorClass.TRANSIENT, ErrorClass.THROTTLED})


@dataclass(frozen=True, kw_only=True)
class Question:
    """One call to the platform, and the snapshot that its answer makes."""

    snapshot: Snapshot  # without a number
    ask: Callable[[], Awaitable[Insights]]


class StopError(Exception):
    """The run cannot go on."""

    def __init__(self, outcome: str, *, delay_s: float | None = None, insights_refused: bool = False) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.delay_s = delay_s  # None: it makes no sense before the usual time
        self.insights_refused = insights_refused


def questions(
    graph: GraphClient, account: GraphAccount, subject: Subject, due: Sequence[DueMedium]
) -> Iterator[Question]:
    """Stories before the rest, for their numbers go; the rest by chance: one without an answer must not stop others."""
    if subject.wants_profile:
        empty = Snapshot(source=Source.PROFILE, metrics=dict.fromkeys(_PROFILE_METRICS))
        yield Question(snapshot=empty, ask=partial(_ask_profile, graph, account))
    stories = [medium for medium in due if medium.product is MediaProduct.STORY]
    posts = [medium for medium in due if medium.product is not MediaProduct.STORY]
    yield from (_of_medium(graph, account, medium) for medium in stories)
    rest = [_of_medium(graph, account, medium) for medium in posts]
    if subject.may_read_insights:
        rest += [_of_day(graph, account, end) for end in subject.day_ends]
    random.shuffle(rest)
    yield from rest


def _of_medium(graph: GraphClient, account: GraphAccount, medium: DueMedium) -> Question:
    empty = Snapshot(
        source=Source.MEDIA_INSIGHTS,
        metrics=dict.fromkeys(MEDIA_METRICS[medium.product]),
        publication_id=medium.publication_id,
        due_age_s=medium.due_age_s,
    )
    ask = partial(graph.media_insights, account, medium.media_id, product=medium.product)
    return Question(snapshot=empty, ask=ask)


def _of_day(graph: GraphClient, account: GraphAccount, end: datetime) -> Question:
    begin = end - _DAY
    empty = Snapshot(
        source=Source.ACCOUNT_INSIGHTS, metrics=dict.fromkeys(ACCOUNT_METRICS), window_from=begin, window_to=end
    )
    return Question(snapshot=empty, ask=partial(graph.account_insights, account, since=begin, until=end))


async def _ask_profile(graph: GraphClient, account: GraphAccount) -> Insights:
    profile = await graph.profile(account)
    if profile.ig_user_id != account.ig_user_id:
        raise StopError("refused")
    return {"followers_count": profile.followers_count, "media_count": profile.media_count}


async def ask(gate: PlatformGate, account: GraphAccount, question: Question) -> Snapshot:
    """The platform's numbers; those that it has not are None.

    Raises:
        StopError: ask nothing more in this run.
    """
    wait = await gate.admit(account.ig_user_id)
    if wait is not None:
        raise StopError("waits", delay_s=wait.delay_s)
    try:
        return replace(question.snapshot, metrics=await question.ask())
    except GraphError as error:
        stop = _read_refusal(error, question.snapshot.source)
        if stop is not None:
            raise stop from error
        log.info("analytics.no_number", source=question.snapshot.source, error=str(error))
        return question.snapshot
    except InstagramError as error:
        raise StopError("unanswered", delay_s=_UNANSWERED_S) from error
    finally:
        gate.leave(account.ig_user_id)


def _read_refusal(error: GraphError, source: Source) -> StopError | None:
    """Why a refusal ends the run; None if it only says that there is no number."""
    if error.error_class in _COME_BACK:
        return StopError("unanswered", delay_s=_UNANSWERED_S)
    if error.error_class not in _ACCESS:
        return None
    # What it means for the account is the health check's to find out.
    insights = source is not Source.PROFILE and error.code in _MISSING_PERMISSION
    return StopError("refused", insights_refused=insights)
