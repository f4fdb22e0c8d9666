"""Figures of the benchmarks: what is computed from runs, and what is written down."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.report import Result, write_json
from benchmarks.rows import percentile, ratios, row
from benchmarks.subjects import BARE, INSTADISTRO, PREFETCHES, SUBJECTS
from benchmarks.suite import SUITES

CHECKOUT = Path(__file__).parents[2]


def rates(subject, *runs, case="drain"):
    return row(case, subject, "jobs_per_s", "jobs/s", runs)


def waits(subject, *runs):
    return row("wait", subject, "wait_p99", "ms", runs)


def found(rows):
    return {(one.case, one.metric): (one.value, one.runs) for one in ratios(rows)}


def test_a_row_is_the_median_and_keeps_every_run():
    """One disturbed run does not decide a figure, and can still be seen."""
    figure = rates(INSTADISTRO, 900.0, 10.0, 1000.0)

    assert (figure.value, figure.runs) == (900.0, [900.0, 10.0, 1000.0])


def test_a_rate_is_compared_with_the_fastest_rival_and_with_the_bare_library():
    """Ours divided by theirs, the medians and round by round; the bare library is nobody's rival."""
    rows = [
        rates(INSTADISTRO, 1000.0, 1200.0, 900.0),
        rates(BARE, 2000.0, 2000.0, 3000.0),
        rates("slow", 100.0, 100.0, 100.0),
        rates("fast", 500.0, 400.0, 600.0),
    ]

    assert found(rows) == {
        ("drain", "ratio_to_best_rival"): (2.0, [2.0, 3.0, 1.5]),
        ("drain", "ratio_to_bare"): (0.5, [0.5, 0.6, 0.3]),
    }


def test_a_wait_is_compared_the_other_way_round():
    """The best rival is the one that waits least, and above 1 the engine is still the better one."""
    rows = [waits(INSTADISTRO, 2.0), waits("quick", 3.0), waits("slow", 50.0)]

    assert found(rows) == {("wait", "ratio_to_best_rival"): (1.5, [1.5])}


def test_only_figures_of_one_case_are_compared():
    """A figure that nobody else has, or only for another case, makes no ratio."""
    rows = [rates(INSTADISTRO, 1.0), rates("rival", 2.0, case="drain on all cores")]

    assert found(rows) == {}


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([7.0], 99, 7.0), ([0.0, 10.0], 50, 5.0), (list(range(101)), 99, 99.0)],
    ids=["alone", "between", "exact"],
)
def test_percentiles_lie_between_their_neighbours(values, percent, expected):
    """A percentile of few values is interpolated, and of one value is that value."""
    assert percentile(values, percent) == expected


def test_the_file_holds_machine_settings_and_all_rows(tmp_path):
    """What is written needs nothing else to be understood: rows as the design names them, ratios among them."""
    figures = [rates(INSTADISTRO, 4.0), rates("rival", 2.0)]
    result = Result(
        machine={"cores": 2},
        settings={"drain": {"rival": "prefetch 200"}},
        rows=figures,
        ratios=ratios(figures),
        failures=["wait: the rival did not answer"],
    )

    write_json(tmp_path / "out.json", result)

    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert written["machine"] == {"cores": 2}
    assert written["settings"] == {"drain": {"rival": "prefetch 200"}}
    assert written["failures"] == ["wait: the rival did not answer"]
    assert written["rows"][0] == {
        "suite": "",
        "case": "drain",
        "subject": "instadistro",
        "metric": "jobs_per_s",
        "value": 4.0,
        "unit": "jobs/s",
        "runs": [4.0],
    }
    assert [one["metric"] for one in written["rows"]] == ["jobs_per_s", "jobs_per_s", "ratio_to_best_rival"]


def test_the_engine_and_the_bare_library_are_measured_at_the_same_prefetches():
    """Their ratio at one prefetch is that of two figures at that prefetch."""
    fetched = {
        subject.name: [settings["prefetch"] for settings in subject.work]
        for subject in SUBJECTS
        if subject.package is None
    }

    assert fetched == {INSTADISTRO: list(PREFETCHES), BARE: list(PREFETCHES)}


def test_the_rivals_lock_is_pinned_hashed_and_names_no_place():
    """Each entry is one exact version with its hashes; who installs chooses the index; every rival is there."""
    lock = (CHECKOUT / "benchmarks" / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    entry = re.compile(r"([a-z0-9-]+)==[A-Za-z0-9.+!]+( ; [^;]+?)?( +--hash=sha256:[0-9a-f]{64})+")

    entries = [entry.fullmatch(line.strip()) for line in lock.splitlines()]

    assert None not in entries
    locked = {found[1] for found in entries if found is not None}
    rivals = {subject.package for suite in SUITES.values() for subject in suite.subjects} - {None}
    assert rivals <= locked
    assert {"cashews", "aiocache", "celery"} <= rivals
