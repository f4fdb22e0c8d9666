"""A private Prometheus that scrapes this system: own port and data, the project's rules, loopback only."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from deploy.local.instance import Instance
from deploy.local.own_parts import SERVICES
from deploy.local.part import Part, probe_http
from deploy.local.ports import LOOPBACK, Ports

#: The recording rules and alerts that Compose and Kubernetes load as well.
RULES = Path(__file__).parents[1] / "prometheus" / "rules"
_KEPT = ("35d", "1GB")  # whichever is less; the error budgets look 30 days back
_PROBLEMS = re.compile(r"\blevel=(warn|error)\b")


def prometheus_part(
    *, instance: Instance, binary: Path, ports: Ports, scrape_every_s: float, rules: Path, with_rabbitmq: bool
) -> Part:
    """Describe the server.

    Args:
        instance: holds its data.
        binary: the program.
        ports: its own, and those that it scrapes.
        scrape_every_s: how often it asks every target, and evaluates the rules whose group does not say how often.
        rules: the directory of the rule files; they are copied, for the server's account may be unable to read there.
        with_rabbitmq: whether the broker is this system's own.
    """
    directory = instance.directory / "prometheus"

    async def prepare() -> None:
        instance.server_directory("prometheus")
        names = _copy_rules(instance, rules, directory)
        config = configuration(ports, scrape_every_s=scrape_every_s, rule_files=names, with_rabbitmq=with_rabbitmq)
        instance.write_private(directory / "prometheus.yml", json.dumps(config, indent=2))  # JSON is YAML as well

    async def probe() -> None:
        await probe_http(ports.prometheus, "/-/ready")

    time, size = _KEPT
    return Part(
        name="prometheus",
        command=(
            str(binary),
            f"--config.file={directory / 'prometheus.yml'}",
            f"--web.listen-address={LOOPBACK}:{ports.prometheus}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--storage.tsdb.retention.time={time}",
            f"--storage.tsdb.retention.size={size}",
        ),
        environment={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
        prepare=prepare,
        probe=probe,
        waits_for=f"its readiness on http://{LOOPBACK}:{ports.prometheus}/-/ready",
        stop_deadline_s=20.0,
        account=instance.account,
        directory=directory,
        port=ports.prometheus,
        log_file=instance.logs / "prometheus.log",
        problems=_PROBLEMS,
    )


def configuration(
    ports: Ports, *, scrape_every_s: float, rule_files: Collection[str], with_rabbitmq: bool
) -> dict[str, Any]:
    """Its configuration file: the same jobs and labels as in deploy/prometheus/prometheus.yml, of this system."""
    every = f"{round(scrape_every_s * 1000)}ms"
    services = [_target(getattr(ports, f"{name}_internal"), service=name) for name in SERVICES]
    jobs = [
        {"job_name": "prometheus", "static_configs": [_target(ports.prometheus)]},
        {"job_name": "instadistro", "honor_labels": True, "static_configs": services},
    ]
    if with_rabbitmq:
        jobs += _rabbitmq_jobs(ports.rabbitmq_metrics)
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": sorted(rule_files),
        "scrape_configs": jobs,
    }


def _rabbitmq_jobs(port: int) -> list[dict[str, Any]]:
    queues = {
        "metrics_path": "/metrics/detailed",
        "params": {"family": ["queue_consumer_count"]},
        "static_configs": [_target(port, job="rabbitmq", endpoint="queues")],
    }
    return [
        {"job_name": "rabbitmq", "static_configs": [_target(port)]},
        {"job_name": "rabbitmq_queues", **queues},
    ]


def _target(port: int, **labels: str) -> dict[str, Any]:
    return {"targets": [f"{LOOPBACK}:{port}"], "labels": labels}


def _copy_rules(instance: Instance, rules: Path, directory: Path) -> list[str]:
    """Put the rule files beside the configuration, in place of those of an earlier start; returns their names."""
    for old in directory.glob("rules-*.yml"):
        old.unlink()
    names = []
    for file in rules.glob("*.yml"):
        names.append(f"rules-{file.name}")
        instance.write_private(directory / names[-1], file.read_text(encoding="utf-8"))
    return names
