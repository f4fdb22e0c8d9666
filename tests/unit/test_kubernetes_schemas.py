"""The manifests against what Kubernetes and the operators publish of their objects."""

from __future__ import annotations

import copy
import functools
import json
import os
import re

import jsonschema_rs
import pytest

from tests.manifests import (
    CHECKOUT,
    CUSTOM,
    MIGRATE,
    OVERLAYS,
    TOOLS,
    VERSION,
    WORKLOADS,
    base,
    containers,
    is_ours,
    of_kind,
    overlay,
    workloads,
)

_DEFINITIONS = "https://kubernetes.io/api/_definitions.json"
_KEPT = CHECKOUT / "tests" / "schemas"


@functools.cache
def published(kind, api_version):
    """The validator of a kind: Kubernetes' own, or an operator's that tests/schemas keeps."""
    if kind in CUSTOM:
        return jsonschema_rs.validator_for(json.loads((_KEPT / f"{kind.lower()}.json").read_text(encoding="utf-8")))
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = json.loads((TOOLS / "schemas" / f"{kind.lower()}-{group}.json").read_text(encoding="utf-8"))
    return jsonschema_rs.validator_for(schema, registry=_definitions())


@functools.cache
def _definitions():
    text = (TOOLS / "schemas" / "_definitions.json").read_text(encoding="utf-8")
    return jsonschema_rs.Registry([(_DEFINITIONS, json.loads(text))])


def faults(manifest):
    """What the published schema says against an object."""
    if manifest["kind"] not in CUSTOM and not (TOOLS / "schemas").exists() and not os.environ.get("CI"):
        pytest.skip("Kubernetes' schemas are not there; `make test` fetches them")
    validator = published(manifest["kind"], manifest["apiVersion"])
    return [f"{manifest['kind']} {manifest['metadata']['name']}: {error}" for error in validator.iter_errors(manifest)]


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_object_is_what_its_schema_says(name):
    """All that an overlay makes is valid, without a field that the cluster would not know."""
    assert [fault for manifest in overlay(name) for fault in faults(manifest)] == []


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Deployment", ("spec", "template", "spec")),
        ("NetworkPolicy", ("spec",)),
        ("ScaledObject", ("spec",)),
        ("ServiceMonitor", ("spec",)),
        ("PrometheusRule", ("spec",)),
        ("TriggerAuthentication", ("spec",)),
    ],
)
def test_a_field_that_nobody_knows_is_found(kind, path):
    """A slip of the pen anywhere in a specification does not pass."""
    manifest = copy.deepcopy(next(iter(of_kind(overlay("production"), kind).values())))
    part = manifest
    for step in path:
        part = part[step]
    part["replcas"] = 2

    assert faults(manifest) != []


def test_a_cluster_without_operators_can_apply_the_base_and_the_trial():
    """Only the production overlay asks for kinds that an operator must have brought."""
    assert of_kind(base(), *CUSTOM) == of_kind(overlay("small"), *CUSTOM) == {}
    assert {item["kind"] for item in overlay("production")} >= CUSTOM


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_whole_system_is_there(name):
    """The four services and the migrations; for the trial the three servers and the emulator as well."""
    folders = {path.parent.name for path in (CHECKOUT / "deploy" / "k8s" / "overlays").glob("*/kustomization.yaml")}

    assert set(workloads(overlay(name))) == set(WORKLOADS[name])
    assert folders == set(OVERLAYS)


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_object_is_made_twice_and_all_lie_in_one_namespace(name):
    """Whoever removes the namespace removes everything."""
    manifests = overlay(name)
    names = [(item["kind"], item["metadata"]["name"]) for item in manifests]

    assert len(names) == len(set(names))
    assert {item["metadata"].get("namespace") for item in manifests if item["kind"] != "Namespace"} == {"instadistro"}
    assert list(of_kind(manifests, "Namespace")) == ["instadistro"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_what_runs_is_this_version(name):
    """Every container of ours runs the image of this version, and the Job that migrates carries it in its name."""
    images = {item["image"] for workload in workloads(overlay(name)).values() for item in containers(workload)}
    ours = {image for image in images if image.split("/")[-1].startswith("instadistro:")}
    labels = {
        workload["metadata"]["labels"]["app.kubernetes.io/version"]
        for workload in workloads(overlay(name)).values()
        if is_ours(workload)
    }

    assert {image.rpartition(":")[2] for image in ours} == labels == {VERSION}
    assert list(of_kind(overlay(name), "Job")) == [MIGRATE]


@pytest.mark.parametrize("name", OVERLAYS)
def test_images_are_pinned(name):
    """Every image has an exact version."""
    images = [item["image"] for workload in workloads(overlay(name)).values() for item in containers(workload)]

    assert [image for image in images if not re.search(r":\d+\.\d+\.?\d*(-[a-z]+)?$", image)] == []


def test_the_trial_runs_the_servers_that_compose_runs():
    """One set of versions to follow, for both."""
    compose = (CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8")
    images = {item["image"] for workload in workloads(overlay("small")).values() for item in containers(workload)}

    assert len(images) == 4
    assert [image for image in images if f"image: {image}\n" not in compose] == []


def test_the_secrets_of_an_overlay_reach_neither_git_nor_the_image():
    """The folder that the secrets are made in is known to both."""
    git = (CHECKOUT / ".gitignore").read_text(encoding="utf-8").splitlines()
    docker = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert "/deploy/k8s/overlays/*/secrets/" in git
    # The last line that fits decides.
    assert docker.index("**/secrets") > docker.index("!deploy")
