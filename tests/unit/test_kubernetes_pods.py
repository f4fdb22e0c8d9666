"""What the pods of deploy/k8s may do, are told and are asked."""

from __future__ import annotations

import importlib.util
from dataclasses import MISSING, fields

import click
import pytest

from deploy.cli.main import cli
from deploy.k8s import await_migrations
from shared.jobs.consumer import _HAND_BACK_S
from shared.lifecycle.checks import _DEADLINE_S as CHECK_DEADLINE_S
from shared.settings import Settings
from tests.manifests import (
    MIGRATE,
    OVERLAYS,
    SERVICES,
    WORKLOADS,
    containers,
    environment,
    main,
    of_kind,
    overlay,
    pod,
    workloads,
)

SETTINGS = {item.name.upper(): item for item in fields(Settings)}
REQUIRED = {name for name, item in SETTINGS.items() if item.default is MISSING}
SECRET = {name for name, item in SETTINGS.items() if item.metadata["secret"]}
#: What the gateway is told beside its settings: where uploads lie on their way, and how it gets at S3.
BESIDE = {"TMPDIR", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
_CLOSING_S = 10  # connections, at the end of a stop
RUNNING = [(name, workload) for name in OVERLAYS for workload in WORKLOADS[name]]
OURS = [(name, workload) for name in OVERLAYS for workload in (*SERVICES, MIGRATE)]
SERVING = [(name, service) for name in OVERLAYS for service in SERVICES]


@pytest.mark.parametrize(("name", "workload"), RUNNING)
def test_a_pod_can_do_little(name, workload):
    """No root, no capability, no writable image, no call to the cluster's API, nothing of the node."""
    spec = pod(workloads(overlay(name))[workload])
    security = spec["securityContext"]

    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostAliases"} & set(spec)
    assert [volume["name"] for volume in spec["volumes"] if "hostPath" in volume] == []
    for container in containers(workloads(overlay(name))[workload]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@pytest.mark.parametrize(("name", "workload"), RUNNING)
def test_a_pod_has_an_account_of_its_own(name, workload):
    """None runs as the namespace's default account, and no account brings a token."""
    account = pod(workloads(overlay(name))[workload])["serviceAccountName"]

    assert of_kind(overlay(name), "ServiceAccount")[account]["automountServiceAccountToken"] is False
    assert workload == account or workload.startswith(f"{account}-")


@pytest.mark.parametrize(("name", "workload"), RUNNING)
def test_a_container_is_bounded(name, workload):
    """Every container says what it needs and what is the end of it; so does every volume that passes with its pod."""
    for container in containers(workloads(overlay(name))[workload]):
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert {"cpu", "memory"} <= set(container["resources"]["limits"])
    passing = [
        volume["emptyDir"] for volume in pod(workloads(overlay(name))[workload])["volumes"] if "emptyDir" in volume
    ]
    assert [volume for volume in passing if "sizeLimit" not in volume] == []


@pytest.mark.parametrize(("name", "workload"), RUNNING)
def test_what_is_mounted_is_there(name, workload):
    """Every mount is of a volume, every volume is mounted, and each names an object with the keys asked for."""
    manifests = overlay(name)
    spec = workloads(manifests)[workload]["spec"]
    volumes = {volume["name"]: volume for volume in pod(workloads(manifests)[workload])["volumes"]}
    claimed = {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", [])}
    mounts = [mount for container in containers(workloads(manifests)[workload]) for mount in container["volumeMounts"]]

    assert {mount["name"] for mount in mounts} == {*volumes, *claimed}
    for mount in mounts:
        volume = volumes.get(mount["name"], {})
        if "secret" in volume or "configMap" in volume:
            kind, key = ("Secret", "secretName") if "secret" in volume else ("ConfigMap", "name")
            source = volume.get("secret") or volume["configMap"]
            held = of_kind(manifests, kind)[source[key]]["data"]
            assert mount["readOnly"] is True
            assert "subPath" not in mount or mount["subPath"] in held
            assert {item["key"] for item in source.get("items", [])} <= set(held)
        if "persistentVolumeClaim" in volume:
            assert volume["persistentVolumeClaim"]["claimName"] in of_kind(manifests, "PersistentVolumeClaim")


@pytest.mark.parametrize(("name", "workload"), OURS)
def test_ours_run_as_the_image_made_them(name, workload):
    """The user of the Dockerfile, the cluster's own variables kept out, and secrets that this user alone can read."""
    spec = pod(workloads(overlay(name))[workload])
    (secrets,) = (volume["secret"] for volume in spec["volumes"] if volume["name"] == "secrets")

    assert (spec["securityContext"]["runAsUser"], spec["securityContext"]["fsGroup"]) == (10001, 10001)
    assert spec["enableServiceLinks"] is False
    assert secrets["defaultMode"] == 0o440


@pytest.mark.parametrize(("name", "workload"), OURS)
def test_every_variable_is_known(name, workload):
    """A container is given settings that the code knows, and what the gateway alone reads beside them."""
    known = {*SETTINGS, *(f"{setting}_FILE" for setting in SETTINGS)} | (BESIDE if workload == "api" else set())

    for container in containers(workloads(overlay(name))[workload]):
        named = {item["name"] for item in container.get("env", [])}
        assert named | set(environment(container, overlay(name))) <= known


@pytest.mark.parametrize(("name", "workload"), OURS)
def test_secrets_come_from_files(name, workload):
    """Every required setting is read from a file that is there; no secret setting stands in the environment."""
    manifests = overlay(name)
    (volume,) = (item for item in pod(workloads(manifests)[workload])["volumes"] if item["name"] == "secrets")
    held = of_kind(manifests, "Secret")[volume["secret"]["secretName"]]["data"]

    for container in containers(workloads(manifests)[workload]):
        given = environment(container, manifests)
        (mount,) = (item for item in container["volumeMounts"] if item["name"] == "secrets")
        files = {setting: given.get(f"{setting}_FILE", "") for setting in SECRET}
        assert SECRET & set(given) == set()
        assert REQUIRED <= SECRET
        assert {f"{mount['mountPath']}/{key}" for key in held} == set(files.values())


@pytest.mark.parametrize(("name", "service"), SERVING)
def test_a_service_is_started_as_its_module(name, service):
    """The command runs a module that is there, after one that waits for the migrations."""
    workload = workloads(overlay(name))[service]
    (first,) = pod(workload)["initContainers"]

    assert main(workload)["command"] == ["python", "-m", f"services.{service}"]
    assert importlib.util.find_spec(f"services.{service}.__main__") is not None
    assert first["command"] == ["python", "-m", await_migrations.__name__]


@pytest.mark.parametrize(
    ("name", "workload", "command"),
    [("small", "emulator", "emulator")] + [(name, MIGRATE, "migrate") for name in OVERLAYS],
)
def test_a_command_of_the_console_script_is_one_it_has(name, workload, command):
    """The command is one of `instadistro`, with options that it takes."""
    program, called, *arguments = main(workloads(overlay(name))[workload])["command"]
    found = cli.get_command(click.Context(cli), command)

    assert (program, called) == ("instadistro", command)
    assert found is not None
    known = {option for parameter in found.params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("-")} <= known


@pytest.mark.parametrize(("name", "service"), SERVING)
def test_the_probes_ask_what_they_mean(name, service):
    """Alive and started: its loop turns. Ready: what it needs answers. All on the internal port that it listens on."""
    container = main(workloads(overlay(name))[service])
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
    port = environment(container, overlay(name))[f"{service.upper()}_INTERNAL_PORT"]

    assert {kind: probe["path"] for kind, probe in asked.items()} == {
        "startup": "/healthz",
        "readiness": "/readyz",
        "liveness": "/healthz",
    }
    assert {probe["port"] for probe in asked.values()} == {"internal"}
    assert {"name": "internal", "containerPort": int(port)} in [
        {key: item[key] for key in ("name", "containerPort")} for item in container["ports"]
    ]
    assert container["readinessProbe"]["timeoutSeconds"] > CHECK_DEADLINE_S


@pytest.mark.parametrize(("name", "service"), SERVING)
def test_a_killed_claim_has_lapsed_before_a_frozen_process_is_ended(name, service):
    """Restarting takes longer than a lease lasts, so that what is restarted is frozen and not only slow."""
    container = main(workloads(overlay(name))[service])
    probe = container["livenessProbe"]
    lease_s = float(environment(container, overlay(name)).get("LEASE_S") or Settings.lease_s)

    assert probe["periodSeconds"] * probe["failureThreshold"] > lease_s


@pytest.mark.parametrize(("name", "service"), SERVING)
def test_a_stop_has_the_time_that_it_takes(name, service):
    """Grace is longer than the wait for routes, the drain, the handing back and the closing together."""
    workload = workloads(overlay(name))[service]
    given = environment(main(workload), overlay(name))
    drain_s = float(given.get("DRAIN_S") or Settings.drain_s)
    waits_s = main(workload).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)

    assert pod(workload)["terminationGracePeriodSeconds"] >= waits_s + drain_s + _HAND_BACK_S + _CLOSING_S
    assert (waits_s > 0) is (service == "api")


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_gateway_finds_the_same_media(name):
    """Media are in S3, or in a volume that the gateway mounts there; by many at once if there may be many."""
    manifests = overlay(name)
    gateway = workloads(manifests)["api"]
    store = environment(main(gateway), manifests)["MEDIA_STORE"]
    mounted = {mount["mountPath"]: mount["name"] for mount in main(gateway)["volumeMounts"]}
    many = gateway["spec"].get("replicas") != 1

    assert store.startswith("s3://") or store in mounted
    if store in mounted:
        (claim,) = of_kind(manifests, "PersistentVolumeClaim").values()
        assert mounted[store] == claim["metadata"]["name"]
        assert not many or claim["spec"]["accessModes"] == ["ReadWriteMany"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_upgrade_takes_no_gateway_away_before_another_is_ready(name):
    """Each service gets one more before it loses one."""
    for service in SERVICES:
        spec = workloads(overlay(name))[service]["spec"]
        assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_migration_that_ended_makes_way_for_the_next_apply(name):
    """The Job goes by itself, tries more than once and does not try for ever."""
    (job,) = of_kind(overlay(name), "Job").values()

    assert job["spec"]["ttlSecondsAfterFinished"] <= 600
    assert job["spec"]["backoffLimit"] > 0
    assert job["spec"]["activeDeadlineSeconds"] > 0
    assert pod(job)["restartPolicy"] == "Never"
