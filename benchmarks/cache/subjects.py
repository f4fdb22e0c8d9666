"""Whose caches are measured, and the settings among which each one's best is looked for."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.subjects import INSTADISTRO, Settings, Subject

BARE_REDIS = "bare redis-py"

SUBJECTS = (
    Subject(name=INSTADISTRO, module="benchmarks.peers.caches.instadistro"),
    Subject(name=BARE_REDIS, module="benchmarks.peers.caches.bare_redis_py"),
    Subject(
        name="cashews",
        module="benchmarks.peers.caches.cashews",
        package="cashews",
        work=({"api": "decorator"}, {"api": "get_or_set"}),
    ),
    Subject(
        name="aiocache",
        module="benchmarks.peers.caches.aiocache",
        package="aiocache",
        work=({"api": "decorator"}, {"api": "get and set"}),
    ),
)

_LOCKING: Mapping[str, Settings] = {
    "cashews": {"api": "locking decorator"},
    "aiocache": {"api": "locking decorator"},
}


def plain(subject: Subject) -> Settings:
    """The way of using it that goes on when Redis fails; the library alone fails with it."""
    return subject.work[0]


def guarded(subject: Subject) -> Settings:
    """What the subject offers against a stampede, across processes where it can."""
    return _LOCKING.get(subject.name, subject.work[0])
