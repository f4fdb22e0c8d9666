"""Finding the selectors of series in an expression of Prometheus."""

from __future__ import annotations

import pytest

from tests.observability.expressions import selectors


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("up == 0", {"up"}),
        ("rate(a_total[5m]) / on (job) group_left b offset 1h", {"a_total", "b"}),
        ('sum by (le, job) (rate(x_bucket{le="0.25", route!~"a|b{2}"}[5m]))', {'x_bucket{le="0.25", route!~"a|b{2}"}'}),
        ("sum(a:b:rate5m) by (job) > 14.4 * (1 - c:d) and e", {"a:b:rate5m", "c:d", "e"}),
        ("max_over_time(x[30m:1m]) or vector(0) unless ignoring (le) y", {"x", "y"}),
        ('label_replace(x, "to", "$1", "from", "(.*)") # what y says', {"x"}),
        ("-Inf < bool x{}", {"x{}"}),
        ("time() - last_success_timestamp > 1e3", {"last_success_timestamp"}),
    ],
)
def test_the_selectors_of_an_expression_are_found_and_nothing_else(expression, found):
    """Names of functions, labels and operators, strings, numbers and durations are no series."""
    assert selectors(expression) == found
