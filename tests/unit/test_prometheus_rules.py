"""Rules, their tests and the runbooks: valid to Prometheus, true to the code, and complete beside each other."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from shared import metrics
from tests.observability.expressions import alerts, recording_rules, selectors

CHECKOUT = Path(__file__).parents[2]
PROMETHEUS = CHECKOUT / "deploy" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in (CHECKOUT / "docs" / "runbooks").glob("[A-Z]*.md")}
INDEX = PAGES.pop("README")
#: Set by Prometheus on whatever it scrapes as deploy/prometheus/prometheus.yml says.
TARGET_LABELS = {"job", "instance", "service"}
#: Metrics that others serve, with the labels they have: the client library, Prometheus, RabbitMQ's plugin.
FOREIGN = {
    "up": set(),
    "process_cpu_seconds_total": set(),
    "process_max_fds": set(),
    "process_open_fds": set(),
    "process_resident_memory_bytes": set(),
    "process_start_time_seconds": set(),
    "prometheus_rule_evaluation_failures_total": {"rule_group"},
    "rabbitmq_alarms_free_disk_space_watermark": set(),
    "rabbitmq_alarms_memory_used_watermark": set(),
    "rabbitmq_channels": set(),
    "rabbitmq_connections": set(),
    "rabbitmq_connections_opened_total": set(),
    "rabbitmq_detailed_queue_consumers": {"queue", "vhost"},
    "rabbitmq_disk_space_available_bytes": set(),
    "rabbitmq_disk_space_available_limit_bytes": set(),
    "rabbitmq_process_resident_memory_bytes": set(),
    "rabbitmq_resident_memory_limit_bytes": set(),
}
#: Labels of what the rules record.
RECORDED = {"le", "method", "namespace", "priority", "queue", "slo", "statement"}
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
_GROUPED = re.compile(r"\b(?:by|on)\s*\(([^()]*)\)")
_MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_PROMTOOL = shutil.which("promtool") or "promtool"


def promtool(*words):
    done = subprocess.run([_PROMTOOL, *map(str, words)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def own_metrics():
    """The labels of each series that the code declares, by the name it is asked for."""
    found = {}
    for declared in vars(metrics).values():
        if isinstance(declared, MetricWrapperBase):
            [one] = declared.describe()
            labels = set(declared._labelnames)  # noqa: SLF001 - the library tells them in no other way
            for suffix in _SUFFIXES[one.type]:
                found[f"{one.name}{suffix}"] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


def known_metrics():
    recorded = {rule["record"]: RECORDED for rule in rules() if "record" in rule}
    return own_metrics() | FOREIGN | recorded


def rules():
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in RULES]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def alert_rules():
    found = defaultdict(list)
    for rule in rules():
        if "alert" in rule:
            found[rule["alert"]].append(rule)
    return found


def cases():
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in TESTS]
    return [case for file in files for test in file["tests"] for case in test.get("alert_rule_test", ())]


def test_prometheus_takes_the_configuration():
    """The file that Compose mounts is one that Prometheus starts with."""
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


def test_prometheus_takes_the_rules():
    """Every rule parses, and none is there twice."""
    promtool("check", "rules", "--lint=all", "--lint-fatal", *RULES)


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_the_rules_do_what_their_tests_say(file):
    """Alerts fire on faults and on nothing else, and recorded numbers are right."""
    promtool("test", "rules", file)


@pytest.mark.parametrize("expression", [*recording_rules(), *alerts()], ids=lambda expression: expression.where)
def test_rules_ask_for_series_that_are_served(expression):
    """Every metric of a rule is declared by the code or is a known one of others, with the labels it is asked by."""
    known, unknown, labels = known_metrics(), [], {"alarm"}
    for selector in selectors(expression.text):
        name, _, matchers = selector.partition("{")
        here = known.get(name, set()) | TARGET_LABELS
        labels |= here
        unknown += [selector] if name not in known or set(_MATCHED.findall(matchers)) - here else []

    grouped = {label.strip() for found in _GROUPED.findall(expression.text) for label in found.split(",")} - {""}

    assert unknown == []
    assert grouped - labels == set()


def test_every_alert_says_how_urgent_it_is_and_what_to_do():
    """Each has a severity, a wait, a sentence, a description and the path of its page."""
    lacking = [
        name
        for name, found in alert_rules().items()
        for rule in found
        if rule["labels"]["severity"] not in {"page", "ticket"}
        or "for" not in rule
        or rule["annotations"].keys() != {"summary", "description", "runbook_url"}
        or rule["annotations"]["runbook_url"] != f"docs/runbooks/{name}.md"
    ]

    assert lacking == []


def test_every_alert_has_its_page_and_every_page_its_alert():
    """Whoever is woken finds a page, and no page is left of an alert that is gone."""
    assert PAGES.keys() == alert_rules().keys()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_pages_answer_the_same_questions(name):
    """What it means, whom it hurts, how to look and what to do, in this order, and when it is over."""
    page = PAGES[name]

    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    assert "\nIt is over when " in page.split("## Mitigation")[1]


def test_the_index_lists_all_alerts_with_their_severity():
    """docs/runbooks/README.md has each alert once, as urgent as its rules say."""
    listed = dict(re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| ([a-z, ]+) \|", INDEX, re.MULTILINE))

    severities = {name: [rule["labels"]["severity"] for rule in found] for name, found in alert_rules().items()}
    assert listed == {name: ", ".join(dict.fromkeys(found)) for name, found in severities.items()}


def test_every_alert_is_seen_to_fire_and_to_stay_silent():
    """Each has a test in which it fires; and one where it does not, or where only some of the series do it."""
    fires = [(case["alertname"], alert["exp_labels"].keys()) for case in cases() for alert in case["exp_alerts"]]
    silent = {case["alertname"] for case in cases() if not case["exp_alerts"]}

    names = alert_rules().keys()
    assert names - {name for name, _ in fires} == set()
    assert names - silent - {name for name, labels in fires if labels - {"severity"}} == set()


def hiding_sides():
    """Alert by alert what docs/monitoring.md hides and by what, with the labels that this goes by."""
    text = (CHECKOUT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```yaml\n(route:.+?)^```", text, re.MULTILINE | re.DOTALL)
    for rule in yaml.safe_load(block)["inhibit_rules"]:
        for side in ("source_matchers", "target_matchers"):
            matchers = dict(re.findall(r'^(\w+)=~?"(.+)"$', "\n".join(rule[side]), re.MULTILINE))
            yield from ((name, {*matchers, *rule.get("equal", ())}) for name in matchers["alertname"].split("|"))


def test_what_hides_what_goes_by_alerts_and_labels_that_exist():
    """Whoever copies the rules that inhibit has none without effect: both sides exist and have the labels."""
    labels = defaultdict[str, set[str]](lambda: {"alertname"})
    for case in cases():
        labels[case["alertname"]].update(*(alert["exp_labels"] for alert in case["exp_alerts"]))

    lacking = [
        (name, needed - had)
        for name, needed in hiding_sides()
        for had in [{label for alert in labels if re.fullmatch(name, alert) for label in labels[alert]}]
        if needed - had
    ]

    assert lacking == []


@pytest.mark.parametrize("page", ["docs/monitoring.md", *(f"docs/runbooks/{name}.md" for name in sorted(PAGES))])
def test_metrics_that_are_named_exist(page):
    """Whoever copies a name from a page finds series under it."""
    text = (CHECKOUT / page).read_text(encoding="utf-8")

    named = set(re.findall(r"\b(?:instadistro[_:]|rabbitmq_|process_|prometheus_rule)[\w:]+\b", text))
    series = {name for name in named if not name.startswith("rabbitmq_prometheus")}

    known = known_metrics() | {name.rsplit("_", 1)[0]: set() for name in own_metrics() if name.endswith("_bucket")}
    assert series - known.keys() == set()
