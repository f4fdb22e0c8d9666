"""Who may reach whom: the NetworkPolicies of deploy/k8s, judged as a cluster judges them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from tests.manifests import (
    COMPONENT,
    OVERLAYS,
    SERVICES,
    WORKLOADS,
    labels_of_pods,
    main,
    of_kind,
    overlay,
    pod,
    selects,
    workloads,
)

_HERE = {"kubernetes.io/metadata.name": "instadistro"}
_SERVERS = {("postgres", 5432), ("redis", 6379), ("rabbitmq", 5672)}
#: Everything in the trial that a connection may lead to, by who may make it.
FLOWS = {
    "api": {*_SERVERS, ("emulator", 8090), ("api", 8080)},
    "scheduler": {*_SERVERS, ("rabbitmq", 15672)},
    "publisher": {*_SERVERS, ("emulator", 8090), ("api", 8080)},
    "health": {*_SERVERS, ("emulator", 8090)},
    "migrate": {("postgres", 5432), ("rabbitmq", 5672)},
    "emulator": {("api", 8080)},
    "postgresql": set(),
    "redis": set(),
    "rabbitmq": set(),
}
_NOBODYS_BUSINESS = ["10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "fd00::1"]


def policies(name, labels, direction):
    """The rules that hold for pods with these labels, in one direction."""
    for policy in of_kind(overlay(name), "NetworkPolicy").values():
        if direction.title() in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], labels):
            yield from policy["spec"].get(direction, [])


def is_peer(peer, labels, namespace):
    """Whether one end of a rule means pods with these labels in a namespace with those."""
    if "ipBlock" in peer:
        return False
    if not selects(peer.get("namespaceSelector", {"matchLabels": _HERE}), namespace):
        return False
    return selects(peer.get("podSelector", {}), labels)


def numbers(rule, target):
    """The ports of a rule as numbers, names taken from the pod that is reached; every port if it names none."""
    named = {port["name"]: port["containerPort"] for port in main(target)["ports"]}
    if "ports" not in rule:
        return set(named.values())
    return {named.get(port["port"], port["port"]) for port in rule["ports"]}


def reached(name, source):
    """(target, port) of every connection that pods of the overlay accept from pods with these labels."""
    found = set()
    for target_name, target in workloads(overlay(name)).items():
        labels = labels_of_pods(target)
        if "ports" not in main(target):
            continue
        out = {
            port
            for rule in policies(name, source, "egress")
            if any(is_peer(peer, labels, _HERE) for peer in rule["to"])
            for port in numbers(rule, target)
        }
        into = {
            port
            for rule in policies(name, labels, "ingress")
            if any(is_peer(peer, source, _HERE) for peer in rule["from"])
            for port in numbers(rule, target)
        }
        listening = {port["containerPort"] for port in main(target)["ports"]}
        found |= {(target_name, port) for port in out & into & listening}
    return found


def outside(name, labels):
    """(address block, what is excepted, ports) of everything beyond the cluster's pods that may be called."""
    for rule in policies(name, labels, "egress"):
        for peer in rule["to"]:
            if "ipBlock" in peer:
                block = peer["ipBlock"]
                yield block["cidr"], block.get("except", []), {port["port"] for port in rule["ports"]}


def ports_of(name, labels, address):
    """The ports at which an address beyond the pods may be called."""
    found = set()
    for block, excepted, ports in outside(name, labels):
        if ip_address(address) in ip_network(block) and not any(
            ip_address(address) in ip_network(part) for part in excepted
        ):
            found |= ports
    return found


@pytest.mark.parametrize("name", OVERLAYS)
def test_nothing_is_allowed_that_is_not_named(name):
    """One policy means every pod of the namespace and allows nothing in either direction."""
    deny = of_kind(overlay(name), "NetworkPolicy")["default-deny"]["spec"]

    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_policy_means_somebody(name):
    """No policy is left over: each selects a pod."""
    labels = [labels_of_pods(workload) for workload in workloads(overlay(name)).values()]
    idle = [
        policy
        for policy, item in of_kind(overlay(name), "NetworkPolicy").items()
        if not any(selects(item["spec"]["podSelector"], pods) for pods in labels)
    ]

    assert idle == []


def test_the_flows_of_the_trial_are_those_of_the_code():
    """Who reaches whom at which port, and nothing beside it."""
    found = {
        labels_of_pods(workload)[COMPONENT]: reached("small", labels_of_pods(workload))
        for workload in workloads(overlay("small")).values()
    }

    assert found == FLOWS


def test_the_gateway_and_the_internal_ports_are_open_to_one_namespace_each():
    """In production the ingress controller reaches the gateway, Prometheus the internal ports, others nothing."""
    open_to: dict[str, set[tuple[str, int]]] = {}
    for service in SERVICES:
        workload = workloads(overlay("production"))[service]
        for rule in policies("production", labels_of_pods(workload), "ingress"):
            for peer in rule["from"]:
                (namespace,) = peer["namespaceSelector"]["matchLabels"].values()
                open_to.setdefault(namespace, set()).update((service, port) for port in numbers(rule, workload))

    assert open_to == {
        "traefik": {("api", 8080)},
        "monitoring": {("api", 9100), ("scheduler", 9101), ("publisher", 9102), ("health", 9103)},
    }


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_what_tenants_name_leads_to_no_machine_of_this_network(name, service):
    """The web is the public internet: the ports of it are closed at every other address, the cloud's metadata too."""
    labels = labels_of_pods(workloads(overlay(name))[service])

    assert ports_of(name, labels, "203.0.113.7") == ports_of(name, labels, "2001:4860::1") == {80, 443}
    for address in _NOBODYS_BUSINESS:
        assert ports_of(name, labels, address) & {80, 443, 8080} == set(), address


@pytest.mark.parametrize("name", OVERLAYS)
def test_who_needs_no_internet_has_none(name):
    """The migrations and the servers of the trial call no address outside."""
    for workload in sorted(set(WORKLOADS[name]) - set(SERVICES)):
        assert ports_of(name, labels_of_pods(workloads(overlay(name))[workload]), "203.0.113.7") == set()


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_pod_can_ask_for_names(name):
    """The cluster's DNS answers all of them, by both protocols."""
    for workload in workloads(overlay(name)).values():
        rules = [
            rule
            for rule in policies(name, labels_of_pods(workload), "egress")
            if any(
                is_peer(peer, {"k8s-app": "kube-dns"}, {"kubernetes.io/metadata.name": "kube-system"})
                for peer in rule["to"]
            )
        ]
        asked = {(port["protocol"], port["port"]) for rule in rules for port in rule["ports"]}
        assert {("UDP", 53), ("TCP", 53)} <= asked


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_service_leads_to_pods_that_listen(name):
    """Every Service selects the pods of one workload, and each of its ports is one of theirs."""
    for service, item in of_kind(overlay(name), "Service").items():
        found = [
            workload
            for workload in workloads(overlay(name)).values()
            if selects({"matchLabels": item["spec"]["selector"]}, labels_of_pods(workload))
        ]
        assert len(found) == 1, service
        named = {port["name"]: port["containerPort"] for port in main(found[0])["ports"]}
        for port in item["spec"]["ports"]:
            assert named[port["targetPort"]] == port["port"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_workloads_select_their_own_pods_alone(name):
    """A selector means the pods of its template and of no other workload."""
    controlled = {key: item for key, item in workloads(overlay(name)).items() if "selector" in item["spec"]}

    for key, item in controlled.items():
        chosen = [other for other in WORKLOADS[name] if selects(item["spec"]["selector"], _labels(name, other))]
        assert chosen == [key]


def _labels(name, workload):
    return labels_of_pods(workloads(overlay(name))[workload])


def test_the_way_in_leads_to_the_gateway():
    """The Ingress serves the host of PUBLIC_URL, with a certificate, and its backend is a port of a Service."""
    (ingress,) = of_kind(overlay("production"), "Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    ports = of_kind(overlay("production"), "Service")[backend["name"]]["spec"]["ports"]
    settings = next(item for key, item in of_kind(overlay("production"), "ConfigMap").items() if "settings" in key)

    assert settings["data"]["PUBLIC_URL"] == f"https://{rule['host']}"
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
    assert backend["port"]["name"] in {port["name"] for port in ports}


@pytest.mark.parametrize("name", OVERLAYS)
def test_pods_spread_over_nodes_and_zones(name):
    """Each service's replicas are spread among themselves, not among those of all services."""
    for service in SERVICES:
        workload = workloads(overlay(name))[service]
        spread = pod(workload)["topologySpreadConstraints"]
        assert [item["topologyKey"] for item in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        for item in spread:
            assert selects(item["labelSelector"], labels_of_pods(workload))
            assert COMPONENT in item["matchLabelKeys"]
            assert not set(item["matchLabelKeys"]) & set(item["labelSelector"]["matchLabels"])
