from __future__ import annotations

import re
from pathlib import Path

import yaml

from shared.cache import CacheResult
from shared.metrics import cache_requests_total

CHECKOUT = Path(__file__).parents[2]
RULES = CHECKOUT / "deploy" / "prometheus" / "rules" / "cache.yml"
NAME = "instadistro:cache_hit_ratio:rate5m"


def recorded():
    """What the rule of the hit ratio joins: by namespace, then overall."""
    [group] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    [expression] = [rule["expr"] for rule in group["rules"] if rule.get("record") == NAME]
    return re.split(r"\bor\b", expression)


def test_the_hit_ratio_is_recorded_by_namespace_and_overall():
    """Prometheus computes the hit rate for each namespace and for all together, and the docs tell its name."""
    by_namespace, overall = recorded()

    assert by_namespace.count("sum by (namespace)") == 2
    assert "by" not in overall
    assert NAME in (CHECKOUT / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_the_hit_ratio_asks_for_what_exists():
    """Each metric, label and label value that the rules name is one that the cache has."""
    [family] = cache_requests_total.describe()
    text = "\n".join(recorded())

    values = {value for list_ in re.findall(r'result=~"([^"]*)"', text) for value in list_.split("|")}

    assert set(re.findall(r"instadistro_\w+", text)) == {f"{family.name}_total"}
    assert set(re.findall(r"{(\w+)|by \((\w+)\)", text)) == {("result", ""), ("", "namespace")}
    assert values == {result.value for result in CacheResult} - {"bypass", "error"}
