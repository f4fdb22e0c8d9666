"""Every objective stands on an edge of its histogram: the share of what kept it is exact, not a guess."""

import math

import pytest
from prometheus_client import Histogram

from shared import metrics

SECONDS = [
    (metrics.http_request_seconds, (0.2, 0.25, 0.5, 2)),
    (metrics.publication_lateness_seconds, (60,)),
    (metrics.schedule_lateness_seconds, (60,)),
    (metrics.query_seconds, (0.05, 0.2)),
    (metrics.pool_wait_seconds, (0.05, 0.2)),
    (metrics.event_loop_lag_seconds, (0.1, 0.5)),
    (metrics.job_seconds, (60,)),
    (metrics.job_wait_seconds, (60,)),
]
HISTOGRAMS = [value for value in vars(metrics).values() if isinstance(value, Histogram)]


def edges_of(histogram):
    return histogram._kwargs["buckets"] if histogram._labelnames else histogram._upper_bounds  # noqa: SLF001 - told nowhere else


@pytest.mark.parametrize(("histogram", "objectives"), SECONDS, ids=lambda value: getattr(value, "_name", None))
def test_an_objective_is_an_edge(histogram, objectives):
    """The seed's floors (0.05, 0.2, 0.5, 2 s) and our own objectives (0.25 s, 60 s) need no interpolation."""
    assert set(objectives) <= set(edges_of(histogram))


@pytest.mark.parametrize("histogram", HISTOGRAMS, ids=lambda histogram: histogram._name)  # noqa: SLF001 - as above
def test_edges_rise_and_are_few(histogram):
    """Each edge is one more series for each set of labels."""
    edges = [edge for edge in edges_of(histogram) if edge != math.inf]

    assert edges == sorted(set(edges))
    assert len(edges) <= 16
