"""The manifests of deploy/k8s as Kustomize builds them, and what the tests ask of them."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

#: A Kubernetes object, or a part of one.
Manifest: TypeAlias = dict[str, Any]

CHECKOUT = Path(__file__).parents[1]
TOOLS = CHECKOUT / ".kubernetes"
SERVICES = ("api", "health", "publisher", "scheduler")
VERSION = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
MIGRATE = f"migrate-{VERSION.replace('.', '-')}"
_OURS = ("api", "health", MIGRATE, "publisher", "scheduler")
#: What runs pods in each overlay; a test holds it against what is built.
WORKLOADS = {
    "production": _OURS,
    "small": (*_OURS, "emulator", "postgres", "rabbitmq", "redis"),
}
OVERLAYS = tuple(WORKLOADS)
#: Kinds that Kubernetes knows only where an operator was installed.
CUSTOM = {"PrometheusRule", "ScaledObject", "ServiceMonitor", "TriggerAuthentication"}
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
_WORKLOADS = {"Deployment", "StatefulSet", "Job"}
_ROOMS = ("deploy/k8s", "deploy/grafana", "deploy/rabbitmq", "examples")
# Not among those that deploy/docker/secrets.sh makes: they are of whoever owns the bucket.
_GIVEN = ("aws_access_key_id", "aws_secret_access_key")
_DEADLINE_S = 60


def kubectl() -> str:
    """A kubectl: the one that `make test` fetched, else one of this machine.

    Without one the test is skipped, but never where tests must not be.
    """
    own = TOOLS / "kubectl"
    found = str(own) if own.exists() else shutil.which("kubectl")
    if found is None:
        reason = "there is no kubectl; `make test` fetches one for x86-64, on other processors install it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@functools.cache
def _tree() -> Path:
    """What the overlays are built from, with secrets made as the documents say."""
    root = Path(tempfile.mkdtemp(prefix="instadistro-manifests-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for room in _ROOMS:
        ignored = shutil.ignore_patterns("secrets", "__pycache__")
        shutil.copytree(CHECKOUT / room, root / room, ignore=ignored)
    script = CHECKOUT / "deploy" / "docker" / "secrets.sh"
    for overlay in OVERLAYS:
        secrets = root / "deploy" / "k8s" / "overlays" / overlay / "secrets"
        subprocess.run(["/bin/sh", str(script), str(secrets)], check=True, timeout=_DEADLINE_S, capture_output=True)
        for name in _GIVEN:
            (secrets / name).write_text("made up", encoding="utf-8")
    return root


@functools.cache
def _build(folder: str) -> tuple[Manifest, ...]:
    command = [kubectl(), "kustomize", str(_tree() / "deploy" / "k8s" / folder)]
    built = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_DEADLINE_S)
    assert (built.returncode, built.stderr) == (0, ""), built.stderr
    return tuple(yaml.safe_load_all(built.stdout))


def base() -> tuple[Manifest, ...]:
    """The objects of the base alone."""
    return _build("base")


def overlay(name: str) -> tuple[Manifest, ...]:
    """The objects of an overlay."""
    return _build(f"overlays/{name}")


def of_kind(manifests: tuple[Manifest, ...], *kinds: str) -> dict[str, Manifest]:
    """The objects of some kinds by name."""
    return {item["metadata"]["name"]: item for item in manifests if item["kind"] in kinds}


def workloads(manifests: tuple[Manifest, ...]) -> dict[str, Manifest]:
    """Everything that runs pods, by name."""
    return of_kind(manifests, *_WORKLOADS)


def is_ours(workload: Manifest) -> bool:
    """Whether it runs a service or the migrations, and no server of somebody else."""
    return bool(labels_of_pods(workload)[NAME] == "instadistro")


def labels_of_pods(workload: Manifest) -> dict[str, str]:
    """The labels of a workload's pods."""
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def pod(workload: Manifest) -> Manifest:
    """The pods of a workload."""
    spec: Manifest = workload["spec"]["template"]["spec"]
    return spec


def main(workload: Manifest) -> Manifest:
    """The one container that does the work."""
    (container,) = pod(workload)["containers"]
    return dict(container)


def containers(workload: Manifest) -> Iterator[Manifest]:
    """All containers, those that run first included."""
    yield from pod(workload).get("initContainers", [])
    yield from pod(workload)["containers"]


def environment(container: Manifest, manifests: tuple[Manifest, ...]) -> dict[str, str]:
    """What a container's environment says in plain words; values of Secrets are not in it."""
    config = of_kind(manifests, "ConfigMap")
    given: dict[str, str] = {}
    for source in container.get("envFrom", []):
        given |= config[source["configMapRef"]["name"]]["data"]
    return given | {item["name"]: item["value"] for item in container.get("env", []) if "value" in item}


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector means pods with these labels."""
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return equal and all(_meets(rule, labels) for rule in selector.get("matchExpressions", []))


def _meets(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert rule["operator"] == "In", "the tests know no other operator"
    return labels.get(rule["key"]) in rule["values"]
