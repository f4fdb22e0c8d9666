"""What every case is given: the servers, the subjects, how much and how often; and how subjects take their turns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from benchmarks.progress import Reporter
from benchmarks.rows import Row, row
from benchmarks.servers import Servers
from benchmarks.subjects import INSTADISTRO, Settings, Subject, describe

#: The unit of every metric.
UNITS: Mapping[str, str] = {
    "jobs_per_s": "jobs/s",
    "wait_p50": "ms",
    "wait_p99": "ms",
    "load": "jobs/s",
    "backlog_left": "jobs",
    "error_p50": "ms",
    "error_p99": "ms",
    "late_p50": "ms",
    "late_p99": "ms",
    "rows_per_s": "rows/s",
    "critical_batch": "",
    "critical_late": "ms",
    "rss": "MiB",
    "rss_growth": "MiB",
    "hits_per_s": "hits/s",
    "loads_most": "loads",
    "loads_mean": "loads",
    "tries": "tries",
    "stale": "tries",
    "longest": "ms",
    "later_p50": "ms",
    "later_p99": "ms",
    "failed": "reads",
    "publications_per_s": "publications/s",
    "cpu_publisher": "ms",
    "cpu_postgres": "ms",
    "cpu_gateway": "ms",
    "burst_s": "s",
    "latency_s": "s",
    "burst_ratio": "",
    "invalidation": "ms",
    "requests_per_s": "requests/s",
    "requests": "requests",
}


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A subject at certain settings."""

    subject: Subject
    settings: Settings
    per_s: float = 0.0  # what it did a second, where that has been measured


Figures: TypeAlias = Mapping[str, float]
#: Measures a contender once; answers figures by metric.
Measure: TypeAlias = Callable[[Contender], Awaitable[Figures]]


@dataclass(kw_only=True)
class Bench:
    """One run of a suite."""

    servers: Servers
    subjects: tuple[Subject, ...]
    runs: int
    scale: float
    full: bool
    report: Reporter
    workers: dict[str, Contender] = field(default_factory=dict)  # each subject's best worker of one process, once known
    settings: dict[str, dict[str, str]] = field(default_factory=dict)  # case -> subject -> what it was measured with

    def scaled(self, count: int) -> int:
        """How many of `count` a run of this scale takes."""
        return max(20, round(count * self.scale))

    @property
    def engine(self) -> Contender:
        """The engine itself, as for cases about priorities."""
        return next(lean(subject) for subject in self.subjects if subject.name == INSTADISTRO)

    async def tune(
        self, subject: Subject, choices: Sequence[Settings], measure: Measure, *, metric: str = "jobs_per_s"
    ) -> Contender:
        """The subject at those settings at which `metric` is highest in a short try; each is tried twice."""
        tried = []
        for settings in [*choices, *choices]:
            contender = Contender(subject=subject, settings=settings)
            figures = await measure(contender)
            tried.append(replace(contender, per_s=figures[metric]))
            self.report.tell(f"{subject.name} tries {describe(settings)}: {_in_words(figures)}")
        # Whatever disturbs a try makes it slower, so the better of two is nearer to the truth.
        return max(tried, key=lambda contender: contender.per_s)

    async def rounds(
        self, contenders: Sequence[Contender], measure: Measure, *, runs: int | None = None
    ) -> list[list[Figures]]:
        """Measure all contenders in turn, then all of them again: whatever befalls the machine befalls all alike.

        Args:
            contenders: in the order of their turns.
            measure: one turn.
            runs: how many turns each has; None is the bench's own number.

        Returns:
            The figures of each contender, turn by turn.
        """
        measured: list[list[Figures]] = [[] for _ in contenders]
        for turn in range(runs or self.runs):
            for contender, series in zip(contenders, measured, strict=True):
                figures = await measure(contender)
                series.append(figures)
                self.report.tell(f"{contender.subject.name}, run {turn + 1}: {_in_words(figures)}")
        return measured

    def rows(self, case: str, contenders: Sequence[Contender], measured: Sequence[Sequence[Figures]]) -> list[Row]:
        """The rows of what `rounds` measured."""
        found = []
        for contender, series in zip(contenders, measured, strict=True):
            name = contender.subject.name
            self.settings.setdefault(case, {})[name] = describe(contender.settings)
            found += [row(case, name, metric, UNITS[metric], [one[metric] for one in series]) for metric in series[0]]
        return found


#: Measures one thing and answers its rows.
Case: TypeAlias = Callable[[Bench], Awaitable[list[Row]]]


def lean(subject: Subject) -> Contender:
    """The subject at the settings at which it fetches least ahead."""
    return Contender(subject=subject, settings=subject.work[0])


def _in_words(figures: Figures) -> str:
    return ", ".join(f"{metric} {value:,.4g} {UNITS[metric]}".rstrip() for metric, value in figures.items())
