"""What the private Prometheus scrapes, beside what the one of Compose scrapes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import yaml

from deploy.local import Ports
from deploy.local.binaries import find_binaries
from deploy.local.prometheus import RULES, configuration

_COMPOSE = Path(__file__).parents[2] / "deploy/prometheus/prometheus.yml"


def local(*, with_rabbitmq):
    return configuration(Ports(), scrape_every_s=5.0, rule_files=[], with_rabbitmq=with_rabbitmq)


def targets(job):
    """The labels of a job's targets; in Compose a service's name is also its label."""
    fixed = [{**one.get("labels", {})} for one in job.get("static_configs", ())]
    looked_up = [{"service": one["names"][0]} for one in job.get("dns_sd_configs", ())]
    return sorted(fixed + looked_up, key=str)


def shape(job):
    return {
        "targets": targets(job),
        **{name: job.get(name) for name in ("job_name", "honor_labels", "metrics_path", "params")},
    }


def test_boards_and_rules_find_the_same_series_here_as_in_compose():
    """Jobs, labels and paths are the same; only addresses and times differ."""
    compose = yaml.safe_load(_COMPOSE.read_text(encoding="utf-8"))

    def jobs(config):
        return sorted((shape(job) for job in config["scrape_configs"]), key=lambda job: job["job_name"])

    assert jobs(local(with_rabbitmq=True)) == jobs(compose)


def test_somebody_elses_broker_is_not_scraped():
    """A broker that this system does not run may have no metrics, and none at this port."""
    scraped = local(with_rabbitmq=False)["scrape_configs"]

    assert [job["job_name"] for job in scraped] == ["prometheus", "instadistro"]


def test_prometheus_accepts_the_configuration(tmp_path):
    """JSON, a fraction of a second, and the project's rules beside it."""
    promtool = find_binaries().promtool
    config = configuration(
        Ports(), scrape_every_s=0.5, rule_files=[str(file) for file in RULES.glob("*.yml")], with_rabbitmq=True
    )
    file = tmp_path / "prometheus.yml"
    file.write_text(json.dumps(config), encoding="utf-8")

    done = subprocess.run(
        [str(promtool), "check", "config", str(file)], capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
