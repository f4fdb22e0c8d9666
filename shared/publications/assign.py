"""Who gets which moment of a plan, where not everybody can take every moment. Pure."""

from __future__ import annotations

import heapq
import random
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence

from shared.publications.room import Span


def assign_slots(slots: Sequence[int], free: Sequence[Sequence[Span]]) -> dict[int, int]:
    """Give each slot to one of those who can take it: who cannot wait as long as others comes first.

    Args:
        slots: moments, in order.
        free: of each participant, by rank, when it may publish. Where all may always, each gets the slot of its rank.

    Returns:
        The moment of each rank that got one.
    """
    opening = defaultdict[int, list[tuple[int, int, int]]](list)
    for rank, spans in enumerate(free):
        ranges = [(bisect_left(slots, begin), bisect_right(slots, end) - 1) for begin, end in spans]
        for first, last in ranges:
            if first <= last:
                opening[first].append((ranges[-1][1], rank, last))
    given: dict[int, int] = {}
    waiting: list[tuple[int, int, int]] = []
    for index, slot in enumerate(slots):
        for entry in opening[index]:
            heapq.heappush(waiting, entry)
        while waiting:
            _, rank, last = heapq.heappop(waiting)
            if last >= index and rank not in given:
                given[rank] = slot
                break
    return given


def fill_in(given: dict[int, int], free: Sequence[Sequence[Span]], *, span: int, gap: int, seed: int) -> dict[int, int]:
    """Give those without a moment one between the others, as far as the gap leaves room.

    They are spread over what is open to them; if that leaves somebody out, they, or in the end all, are packed.

    Returns:
        The moment of each rank for which there is one.
    """
    rest = [rank for rank in range(len(free)) if rank not in given]
    dice = random.Random(seed)  # noqa: S311 - a repeatable plan, no secret
    best = given | _place(rest, free, _room(given, span, gap), gap, dice)
    for kept in (given, {}):
        if len(best) < len(free):
            ranks = sorted(set(range(len(free))) - set(kept), key=lambda rank: (free[rank][-1][1], rank))
            best = max(best, kept | _place(ranks, free, _room(kept, span, gap), gap, None), key=len)
    return best


def _room(given: dict[int, int], span: int, gap: int) -> list[Span]:
    """What the gaps around the given moments leave open, in order."""
    if gap == 0:
        return [(0, span)]
    times = sorted(given.values())
    begins, ends = [0, *(time + gap for time in times)], [*(time - gap for time in times), span]
    return [(begin, end) for begin, end in zip(begins, ends, strict=True) if begin <= end]


def _place(
    ranks: Sequence[int], free: Sequence[Sequence[Span]], room: list[Span], gap: int, dice: random.Random | None
) -> dict[int, int]:
    """A moment for each of these, as long as there is room: one that the dice draw, or the earliest."""
    placed: dict[int, int] = {}
    for rank in ranks:
        drawn = 0 if dice is None else _draw(free[rank], dice)
        found = _earliest(room, free[rank], drawn) or _earliest(room, free[rank], 0)
        if found is None:
            continue
        index, moment = found
        placed[rank] = moment
        if gap > 0:
            begin, end = room[index]
            parts = [(begin, moment - gap), (moment + gap, end)]
            room[index : index + 1] = [part for part in parts if part[0] <= part[1]]
    return placed


def _draw(spans: Sequence[Span], dice: random.Random) -> int:
    """A moment anywhere in these spans, each as likely as the other."""
    left = int(dice.random() * sum(end - begin for begin, end in spans))
    for begin, end in spans:
        if left <= end - begin:
            return begin + left
        left -= end - begin
    return spans[-1][1]


def _earliest(room: Sequence[Span], spans: Sequence[Span], least: int) -> tuple[int, int] | None:
    """The first moment from `least` on that is open in both; with its place in the room."""
    for opens, closes in spans:
        wanted = max(opens, least)
        index = bisect_left(room, wanted, key=lambda part: part[1])
        if index < len(room) and max(room[index][0], wanted) <= closes:
            return index, max(room[index][0], wanted)
    return None
