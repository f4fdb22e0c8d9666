"""What is wrong in a summary, most urgent first, and which command looks into it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.status.parts import RUNNING, PartSeen
from deploy.status.queues import Queue
from deploy.status.summary import Summary
from deploy.status.words import age, count

_URGENT = ("critical", "high")
_URGENT_WAIT_S = 60.0  # the same limits as in docs/metrics.md
_ANY_WAIT_S = 900.0
_OUTBOX_WAIT_S = 30.0
_DUE_WAIT_S = 60.0
_FAILED_REQUESTS = 0.001  # what the objective of the API leaves
_DOCTOR = "instadistro doctor"
_JOBS = "instadistro jobs stats"
_PAGES = "docs/runbooks/"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not as it should be."""

    severe: bool  # posts are late, lost or twice, or nobody can tell; else a person should look today
    text: str  # a sentence
    todo: str  # a command, a request or a page


def findings(summary: Summary, *, parts: Sequence[PartSeen] = ()) -> list[Finding]:
    """Everything that is wrong, most urgent first; empty: all is well."""
    found = [
        *_of_parts(parts),
        *_of_services(summary),
        *_of_publications(summary),
        *_of_the_way(summary),
        *_of_dependencies(summary),
        *_of_people(summary),
    ]
    return sorted(found, key=lambda finding: not finding.severe)


def next_step(found: Sequence[Finding]) -> str:
    """The last line: all is well, or what to do first."""
    if not found:
        return "All is well."
    rest = f" (and {count(len(found) - 1, 'more thing')} above)" if len(found) > 1 else ""
    return f"Do next: {found[0].todo}{rest}"


def _of_parts(parts: Sequence[PartSeen]) -> Iterator[Finding]:
    for part in parts:
        if part.state not in RUNNING:
            yield Finding(severe=True, text=f"The part {part.name} is not ready: {part.state}.", todo=_DOCTOR)


def _of_services(summary: Summary) -> Iterator[Finding]:
    for service in summary.services:
        if service.error is not None:
            text = f"{service.name} at {service.where} tells nothing: {service.error}."
            yield Finding(severe=True, text=text, todo=_DOCTOR)
        elif service.lacks:
            text = f"{service.name} at {service.where} is not ready: {', '.join(sorted(service.lacks))}."
            yield Finding(severe=True, text=text, todo=_DOCTOR)


def _of_publications(summary: Summary) -> Iterator[Finding]:
    publications = summary.publications
    for promise, number in sorted(publications.breaches.items()):
        text = f"{count(number, 'publication')} broke a promise: {promise}."
        yield Finding(severe=True, text=text, todo=f"{_PAGES}InvariantBroken.md")
    if (publications.oldest_due_s or 0) > _DUE_WAIT_S:
        text = f"A due publication has waited for {age(publications.oldest_due_s)} and nobody works on it."
        yield Finding(severe=True, text=text, todo=f"{_PAGES}PublicationsStuck.md")
    for state in ("outcome_unknown", "held"):
        if open_now := (publications.open or {}).get(state):
            text = (
                f"{count(open_now, 'publication')} {'is' if open_now == 1 else 'are'} {state} until a person decides."
            )
            yield Finding(severe=False, text=text, todo=f"GET /v1/publications?state={state}")


def _of_the_way(summary: Summary) -> Iterator[Finding]:
    if (summary.outbox.oldest_s or 0) > _OUTBOX_WAIT_S:
        text = f"The outbox is not sent: its oldest row has been due for {age(summary.outbox.oldest_s)}."
        yield Finding(severe=True, text=text, todo=_DOCTOR)
    for queue in summary.queues:
        yield from _of_queue(queue)
    if summary.dead_jobs.waiting:
        text = f"{count(summary.dead_jobs.waiting, 'dead job')} wait for a person."
        yield Finding(severe=False, text=text, todo="instadistro jobs dead")


def _of_queue(queue: Queue) -> Iterator[Finding]:
    if queue.service is not None and queue.consumers == 0:
        yield Finding(severe=True, text=f"Nobody takes jobs from {queue.name}.", todo=_DOCTOR)
    for lane in queue.lanes:
        limit_s = _URGENT_WAIT_S if lane.priority in _URGENT else _ANY_WAIT_S
        if (lane.oldest_s or 0) > limit_s:
            text = f"Jobs of priority {lane.priority} wait for {age(lane.oldest_s)} in {queue.name}."
            yield Finding(severe=True, text=text, todo=_JOBS)


def _of_dependencies(summary: Summary) -> Iterator[Finding]:
    platform, cache, requests = summary.platform, summary.cache, summary.requests
    if requests.failed and requests.answered and requests.failed > requests.answered * _FAILED_REQUESTS:
        text = f"The gateway failed {count(requests.failed, 'request')} of {requests.answered:,} since it began."
        yield Finding(severe=False, text=text, todo="docs/logs.md#what-to-look-for")
    if summary.broker_blocked:
        yield Finding(
            severe=True,
            text="RabbitMQ is short of memory or disk and takes nothing more.",
            todo=f"{_PAGES}BrokerBlocked.md",
        )
    if platform.down:
        text = "Instagram counts as down: publications wait and go on by themselves."
        yield Finding(severe=True, text=text, todo=f"{_PAGES}PlatformDown.md")
    if platform.incidents:
        text = f"Errors of the platform in many accounts at once: {', '.join(platform.incidents)}."
        yield Finding(severe=True, text=text, todo=f"{_PAGES}IncidentOpen.md")
    if cache.redis_away:
        text = f"Redis is left alone by {', '.join(cache.redis_away)}: it does not answer."
        yield Finding(severe=False, text=text, todo=_DOCTOR)


def _of_people(summary: Summary) -> Iterator[Finding]:
    if alerts := (summary.alerts or {}).get("critical"):
        yield Finding(severe=False, text=f"{count(alerts, 'critical alert')} of accounts.", todo="GET /v1/alerts")
    if cut_off := (summary.accounts or {}).get("NEEDS_REAUTH"):
        text = f"{count(cut_off, 'account')} must be connected anew by their owners."
        yield Finding(severe=False, text=text, todo="GET /v1/accounts?state=NEEDS_REAUTH")
    if ending := (summary.tokens_ending or {}).get("1"):
        text = f"{count(ending, 'token')} of accounts in use end within a day and were not renewed."
        yield Finding(severe=False, text=text, todo=f"{_PAGES}TokensEnding.md")
