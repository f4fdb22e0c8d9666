"""What Prometheus and Grafana are told of in a cluster is what they are told of elsewhere."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from deploy.k8s.__main__ import FILE, RULES, prometheus_rules
from tests.manifests import CHECKOUT, COMPONENT, SERVICES, of_kind, overlay, selects

SCRAPED = yaml.safe_load((CHECKOUT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
JOBS = {job["job_name"]: job for job in SCRAPED["scrape_configs"]}
_GRAFANA = CHECKOUT / "deploy" / "grafana" / "dashboards"
_CONFIG_MAP_BYTES = 1024 * 1024


def monitor(name):
    """A ServiceMonitor's specification."""
    return of_kind(overlay("production"), "ServiceMonitor")[name]["spec"]


def labels_set(endpoint):
    """The labels that an endpoint's samples get, as far as they are fixed."""
    return {rule["targetLabel"]: rule["replacement"] for rule in endpoint["relabelings"] if "replacement" in rule}


def test_every_service_is_scraped_once():
    """One monitor means the Services of the four services, at a port that each has, and no Service is left out."""
    spec = monitor("instadistro")
    services = of_kind(overlay("production"), "Service")
    chosen = [name for name, item in services.items() if selects(spec["selector"], item["metadata"]["labels"])]
    (endpoint,) = spec["endpoints"]

    assert "namespaceSelector" not in spec
    assert sorted(chosen) == list(SERVICES)
    for name in chosen:
        assert endpoint["port"] in {port["name"] for port in services[name]["spec"]["ports"]}


def test_samples_have_the_labels_that_rules_and_boards_expect():
    """The job and the service are named as the scrape configuration of Compose names them."""
    (endpoint,) = monitor("instadistro")["endpoints"]
    (named,) = (rule for rule in endpoint["relabelings"] if "sourceLabels" in rule)
    label = "__meta_kubernetes_service_label_" + re.sub(r"\W", "_", COMPONENT)

    assert labels_set(endpoint) == {"job": "instadistro"}
    assert named == {"sourceLabels": [label], "targetLabel": "service"}
    assert endpoint["honorLabels"] is JOBS["instadistro"]["honor_labels"] is True
    assert endpoint["path"] == "/metrics"
    for name in SERVICES:
        assert of_kind(overlay("production"), "Service")[name]["metadata"]["labels"][COMPONENT] == name


def test_the_broker_is_scraped_as_elsewhere():
    """Both pages of its plugin, with the labels, the parameters and the patience of the scrape configuration."""
    plain, queues = monitor("rabbitmq")["endpoints"]
    detailed = JOBS["rabbitmq_queues"]
    small = of_kind(overlay("small"), "Service")["rabbitmq"]

    assert labels_set(plain) == {"job": "rabbitmq"}
    assert labels_set(queues) == detailed["static_configs"][0]["labels"]
    assert (queues["path"], queues["params"]) == (detailed["metrics_path"], detailed["params"])
    assert plain["scrapeTimeout"] == JOBS["rabbitmq"]["scrape_timeout"]
    assert selects(monitor("rabbitmq")["selector"], small["metadata"]["labels"])
    assert plain["port"] in {port["name"] for port in small["spec"]["ports"]}


@pytest.mark.parametrize("path", sorted(RULES.glob("*.yml")), ids=lambda path: path.stem)
def test_the_rules_are_those_of_prometheus(path):
    """Each file of rules is in the cluster as it is, comments aside. If not: `python -m deploy.k8s`."""
    expected = yaml.safe_load(path.read_text(encoding="utf-8"))

    assert of_kind(overlay("production"), "PrometheusRule")[f"instadistro-{path.stem}"]["spec"] == expected


def test_the_file_of_rules_is_the_written_one():
    """Nobody changed it by hand, and no file of rules is missing. If not: `python -m deploy.k8s`."""
    written = FILE.read_text(encoding="utf-8")

    assert written.partition("\n")[2] == prometheus_rules()
    assert len(of_kind(overlay("production"), "PrometheusRule")) == len(list(RULES.glob("*.yml")))


def test_the_boards_are_those_of_the_repository():
    """Each board is in a ConfigMap with the label that Grafana's sidecar looks for, and small enough for one."""
    found = {
        file: text
        for item in of_kind(overlay("production"), "ConfigMap").values()
        if item["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
        for file, text in item["data"].items()
    }
    boards = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in _GRAFANA.glob("*.json")}

    assert {file: json.loads(text) for file, text in found.items()} == boards
    assert max(len(text.encode()) for text in found.values()) < _CONFIG_MAP_BYTES
