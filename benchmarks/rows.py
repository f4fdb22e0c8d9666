"""Figures as rows, and what follows from rows of one run: medians, percentiles, ratios."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchmarks.subjects import INSTADISTRO, is_bare

#: The figures that are set against those of other subjects, and whether more of them is better.
_COMPARED = {"jobs_per_s": True, "hits_per_s": True, "requests_per_s": True, "wait_p99": False, "invalidation": False}
_TIMES = "x"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of one subject."""

    suite: str = ""  # set when its suite has run
    case: str
    subject: str
    metric: str
    value: float  # the median of the runs
    unit: str
    runs: list[float]  # every single one, in their order


def row(case: str, subject: str, metric: str, unit: str, runs: Sequence[float]) -> Row:
    """A row of these runs."""
    return Row(case=case, subject=subject, metric=metric, unit=unit, value=statistics.median(runs), runs=list(runs))


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of a hundred do not exceed, interpolated between its neighbours."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def ratio(case: str, metric: str, over: Row, under: Row) -> Row:
    """One row divided by another: their medians, and run by run, since runs of one round met the same machine."""
    runs = [above / below for above, below in zip(over.runs, under.runs, strict=False)]
    return Row(case=case, subject=over.subject, metric=metric, value=over.value / under.value, unit=_TIMES, runs=runs)


def ratios(rows: Sequence[Row]) -> list[Row]:
    """How many times better we are than the best rival and than the bare library, wherever both were measured.

    Of rates ours divided by theirs, of times theirs by ours: above 1 we are the better one.
    """
    found = []
    for ours in (one for one in rows if one.subject == INSTADISTRO and one.metric in _COMPARED):
        others = [one for one in rows if (one.case, one.metric) == (ours.case, ours.metric) and one is not ours]
        rivals = [one for one in others if not is_bare(one.subject)]
        if rivals:
            found.append(_advantage("ratio_to_best_rival", ours, _best(rivals)))
        found += [_advantage("ratio_to_bare", ours, one) for one in others if is_bare(one.subject)]
    return found


def _best(rows: Collection[Row]) -> Row:
    more_is_better = all(_COMPARED[one.metric] for one in rows)
    return (max if more_is_better else min)(rows, key=lambda one: one.value)


def _advantage(metric: str, ours: Row, theirs: Row) -> Row:
    over, under = (ours, theirs) if _COMPARED[ours.metric] else (theirs, ours)
    found = ratio(ours.case, metric, over, under)
    return Row(**{**found.__dict__, "subject": INSTADISTRO})
