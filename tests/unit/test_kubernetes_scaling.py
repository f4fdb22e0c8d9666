"""How many of each there are, who decides it, and what PostgreSQL must allow for it."""

from __future__ import annotations

import re

import pytest
import yaml

from shared import metrics
from shared.database import POOL_CONFIG
from shared.jobs import JobPriority
from shared.jobs.topology import WORK_QUEUES, work_queue
from shared.settings import Settings
from tests.manifests import (
    CHECKOUT,
    OVERLAYS,
    SERVICES,
    environment,
    labels_of_pods,
    main,
    of_kind,
    overlay,
    selects,
    workloads,
)

SCALED = ["health", "publisher"]
PAGE = (CHECKOUT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
#: Connections of a process beside its pool: the scheduler listens on one, the publisher renews its leases on one.
_BESIDE_THE_POOL = {"scheduler": 1, "publisher": 1}
_JOB_AND_WAITING_PODS = 1 + len(SERVICES)
_SUPERUSER = 3


def replicas(name, service):
    """(fewest, most) pods of a service."""
    manifests = overlay(name)
    if service in of_kind(manifests, "HorizontalPodAutoscaler"):
        spec = of_kind(manifests, "HorizontalPodAutoscaler")[service]["spec"]
        return spec["minReplicas"], spec["maxReplicas"]
    if service in of_kind(manifests, "ScaledObject"):
        spec = of_kind(manifests, "ScaledObject")[service]["spec"]
        return spec["minReplicaCount"], spec["maxReplicaCount"]
    fixed = workloads(manifests)[service]["spec"]["replicas"]
    return fixed, fixed


def connections(name):
    """The most that PostgreSQL is asked for: every service at its largest, and one more while it is renewed."""
    asked = _JOB_AND_WAITING_PODS
    for service in SERVICES:
        surge = workloads(overlay(name))[service]["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
        each = POOL_CONFIG.max_size + _BESIDE_THE_POOL.get(service, 0)
        asked += (replicas(name, service)[1] + surge) * each
    return asked


def triggers(service):
    """The triggers of a service's ScaledObject by type."""
    spec = of_kind(overlay("production"), "ScaledObject")[service]["spec"]
    return {trigger["type"]: trigger for trigger in spec["triggers"]}


@pytest.mark.parametrize("name", OVERLAYS)
def test_one_alone_decides_how_many_there_are(name):
    """Each service is scaled by the autoscaler, by KEDA or by its number, and by no two of them."""
    manifests = overlay(name)
    deciding = {
        service: [
            service in of_kind(manifests, "HorizontalPodAutoscaler"),
            service in of_kind(manifests, "ScaledObject"),
            "replicas" in workloads(manifests)[service]["spec"],
        ]
        for service in SERVICES
    }

    assert {service: sum(found) for service, found in deciding.items()} == dict.fromkeys(SERVICES, 1)
    for kind in ("HorizontalPodAutoscaler", "ScaledObject"):
        for scaler in of_kind(manifests, kind).values():
            assert scaler["spec"]["scaleTargetRef"]["name"] in of_kind(manifests, "Deployment")


def test_no_service_of_production_stands_on_one_leg():
    """Two of each at least: one goes on while the other is moved, renewed or lost."""
    assert [service for service in SERVICES if replicas("production", service)[0] < 2] == []


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_node_can_be_emptied_and_not_all_pods_at_once(name):
    """Each service has a budget that means its pods, and one of them may always be away."""
    budgets = of_kind(overlay(name), "PodDisruptionBudget")

    assert sorted(budgets) == list(SERVICES)
    for service, budget in budgets.items():
        chosen = [
            key
            for key, item in workloads(overlay(name)).items()
            if selects(budget["spec"]["selector"], labels_of_pods(item))
        ]
        assert chosen == [service]
        assert budget["spec"]["maxUnavailable"] == 1
        assert "minAvailable" not in budget["spec"]


def test_the_gateway_grows_at_once_and_shrinks_slowly():
    """A burst is met within a minute; what was added stays for some."""
    behavior = of_kind(overlay("production"), "HorizontalPodAutoscaler")["api"]["spec"]["behavior"]

    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] >= 300


def test_workers_are_scaled_by_queues_that_exist():
    """The workers that KEDA scales have a queue in the topology, and it asks for that one by name."""
    names = {queue.name for queue in WORK_QUEUES}

    assert sorted(of_kind(overlay("production"), "ScaledObject")) == SCALED
    for service in SCALED:
        metadata = triggers(service)["rabbitmq"]["metadata"]
        assert metadata["queueName"] == work_queue(service)
        assert metadata["queueName"] in names
        assert (metadata["protocol"], metadata["mode"]) == ("http", "QueueLength")


@pytest.mark.parametrize("service", SCALED)
def test_a_worker_is_wanted_when_the_slots_of_the_others_are_full(service):
    """The depth for which one process is enough is twice its slots: as many as run and as many again."""
    slots = getattr(Settings, f"{service}_slots")
    given = environment(main(workloads(overlay("production"))[service]), overlay("production"))

    assert f"{service.upper()}_SLOTS" not in given
    assert int(triggers(service)["rabbitmq"]["metadata"]["value"]) == 2 * slots


@pytest.mark.parametrize("service", SCALED)
def test_the_age_is_asked_by_names_that_exist(service):
    """The query is of a metric that is declared, of the service's own queue, and of priorities that there are."""
    metadata = triggers(service)["prometheus"]["metadata"]
    match = re.fullmatch(r'max\((\w+)\{queue="([^"]+)",priority=~"([^"]+)"\}\)', metadata["query"])

    assert match is not None
    assert match[1] == metrics.queue_oldest_age_seconds._name  # noqa: SLF001 - the library tells it nowhere else
    assert match[2] == work_queue(service)
    assert set(match[3].split("|")) <= {priority.name.lower() for priority in JobPriority}
    assert triggers(service)["prometheus"]["metricType"] == "Value"


@pytest.mark.parametrize("service", SCALED)
def test_workers_go_later_than_a_job_takes(service):
    """Nothing shrinks within the longest time of one publication, and the fallback is a number that may be."""
    spec = of_kind(overlay("production"), "ScaledObject")[service]["spec"]
    down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    longest_s = Settings.poll_in_worker_s + Settings.publish_deadline_s + 10 * Settings.platform_deadline_s

    assert down["stabilizationWindowSeconds"] > longest_s
    assert spec["minReplicaCount"] <= spec["fallback"]["replicas"] <= spec["maxReplicaCount"]
    assert spec["fallback"]["failureThreshold"] > 0


def test_keda_asks_the_broker_with_the_secret_that_is_there():
    """Its login is the key of the Secret that the services have as AMQP_MANAGEMENT_URL."""
    manifests = overlay("production")
    (login,) = of_kind(manifests, "TriggerAuthentication").values()
    (reference,) = login["spec"]["secretTargetRef"]

    assert reference["key"] in of_kind(manifests, "Secret")[reference["name"]]["data"]
    assert reference["key"] == "amqp_management_url"
    for service in SCALED:
        assert triggers(service)["rabbitmq"]["authenticationRef"] == {"name": login["metadata"]["name"]}


def test_the_trial_s_postgresql_allows_what_it_is_asked_for():
    """All services at their largest, in the midst of an upgrade, leave the superuser's connections alone."""
    arguments = main(workloads(overlay("small"))["postgres"])["args"]
    (allowed,) = (int(item.partition("=")[2]) for item in arguments if item.startswith("max_connections="))

    assert connections("small") <= allowed - _SUPERUSER


def test_the_documents_postgresql_allows_what_production_asks_for():
    """docs/kubernetes.md says the number, and its example of a cluster allows it with room for people."""
    examples = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    (cluster,) = (item for item in examples if item.get("kind") == "Cluster")
    allowed = int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])

    assert f"**{connections('production')}**" in PAGE
    assert allowed >= connections("production") + _SUPERUSER + 20
