from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from shared import metrics

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
DECLARED = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]


def described(metric):
    """Name, type and labels of a metric as a reader of /metrics sees them."""
    [family] = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return name, family.type, list(metric._labelnames)  # noqa: SLF001 - the library tells a metric's labels nowhere else


def reference():
    """(name, type, labels) of every row of the reference table."""
    rows = re.findall(r"^\| `(instadistro_\w+)` \| (\w+) \|([^|]*)\|", PAGE, re.MULTILINE)
    return [(name, kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows]


@pytest.mark.parametrize("metric", DECLARED, ids=lambda metric: described(metric)[0])
def test_a_metric_is_in_the_reference(metric):
    """docs/metrics.md has every metric with its type and labels."""
    assert described(metric) in reference()


def test_the_reference_has_nothing_else():
    """docs/metrics.md describes no metric that is gone, and none twice."""
    assert sorted(name for name, _, _ in reference()) == sorted(described(metric)[0] for metric in DECLARED)


def test_queries_name_metrics_that_exist():
    """A query of docs/metrics.md can be pasted: each name in it is declared."""
    queries = " ".join(re.findall(r"```promql\n(.*?)```", PAGE, re.DOTALL))
    asked = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"instadistro_\w+", queries)}

    assert asked
    assert asked <= {described(metric)[0] for metric in DECLARED}
