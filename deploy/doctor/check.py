"""Checks as data: what is looked at, on what, and what must be well before it is worth looking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from deploy.doctor.finding import Verdict, failed
from deploy.doctor.setup import Setup

T = TypeVar("T")


class RefusedError(Exception):
    """An area cannot be entered: its server does not answer, or lets nobody in. Carries what to say about it."""

    def __init__(self, says: str, *, do: str) -> None:
        super().__init__(says)
        self.verdict = failed(says, do=do)


@dataclass(frozen=True, kw_only=True)
class Check(Generic[T]):
    """One thing to look at."""

    name: str  # begins with the area's
    look: Callable[[T], Awaitable[Verdict | Sequence[Verdict]]]  # changes nothing
    needs: tuple[str, ...] = ()  # names of checks; where one of them failed this one is skipped
    deadline_s: float = 10.0  # for the look


@dataclass(frozen=True, kw_only=True)
class Area(Generic[T]):
    """Checks on one thing, such as a server, which is reached once and looked at in turn.

    The first check is the one whose failure a `RefusedError` of `enter` is: the others are skipped then.
    """

    name: str
    enter: Callable[[Setup], AbstractAsyncContextManager[T]]
    checks: tuple[Check[T], ...]
    needs: tuple[str, ...] = ("settings.values",)
