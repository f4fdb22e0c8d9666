"""Prometheus and Grafana in Compose: what they are given, what they reach, and that neither calls anybody."""

from __future__ import annotations

import re

import pytest
import yaml

from deploy.local.own_parts import SERVICES
from tests.compose_files import CHECKOUT, CORE, mounts, read, secret_files

COMPOSE = read(CORE)
CONTAINERS = COMPOSE["services"]
PROMETHEUS, GRAFANA = CONTAINERS["prometheus"], CONTAINERS["grafana"]
CONFIGURATION = yaml.safe_load((CHECKOUT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
ITSELF = "localhost"


def scraped():
    """(container, port) of everything that is scraped."""
    for job in CONFIGURATION["scrape_configs"]:
        for group in job.get("static_configs", []):
            yield from ((host, int(port)) for host, port in (target.split(":") for target in group["targets"]))
        for group in job.get("dns_sd_configs", []):
            yield from ((name, group["port"]) for name in group["names"])


def test_every_target_is_a_container_at_a_port_it_listens_on():
    """Names are those of containers on the network they share; ports those of services, of the plugin, of itself."""
    ports = {name: int(CONTAINERS[name]["environment"][f"{name.upper()}_INTERNAL_PORT"]) for name in SERVICES}
    ports |= {"rabbitmq": 15692, ITSELF: 9090}

    assert set(scraped()) == set(ports.items())
    assert all("monitoring" in CONTAINERS[name]["networks"] for name, _ in scraped() if name != ITSELF)


def test_prometheus_reaches_what_it_scrapes_and_nothing_else():
    """Servers are not on its networks, one of which leads nowhere and the other one not out."""
    networks = COMPOSE["networks"]
    beside = {name for name, container in CONTAINERS.items() if set(container["networks"]) & {"monitoring", "boards"}}

    assert PROMETHEUS["networks"] == ["monitoring", "boards"]
    assert GRAFANA["networks"] == ["boards"]
    assert beside == {*SERVICES, "rabbitmq", "prometheus", "grafana"}
    assert networks["monitoring"] == {"internal": True}
    assert networks["boards"]["driver_opts"] == {"com.docker.network.bridge.enable_ip_masquerade": "false"}


def test_every_rule_file_is_where_prometheus_looks():
    """The directory of rules is mounted at the place of the pattern, the configuration at that of the option."""
    mounted = mounts(PROMETHEUS)
    (pattern,) = CONFIGURATION["rule_files"]
    directory, _, name = pattern.rpartition("/")

    assert (
        f"--config.file={next(inside for inside, source in mounted.items() if source.endswith('.yml'))}"
        in (PROMETHEUS["command"])
    )
    assert name == "*.yml"
    assert list((CHECKOUT / mounted[directory]).glob("*.yml"))
    assert all(file.suffix == ".yml" for file in (CHECKOUT / mounted[directory]).iterdir())


def test_prometheus_keeps_what_the_error_budgets_look_at_and_no_more():
    """Over 30 days, and bounded by size as well."""
    options = dict(option.split("=", 1) for option in PROMETHEUS["command"])

    assert options["--storage.tsdb.retention.time"] == "35d"
    assert re.fullmatch(r"\d+GB", options["--storage.tsdb.retention.size"])
    assert options["--storage.tsdb.path"] in {volume.split(":")[1] for volume in PROMETHEUS["volumes"]}


def test_every_board_is_where_grafana_looks():
    """The boards stand at the path that the provisioning names, the provisioning at Grafana's own place."""
    mounted = mounts(GRAFANA)
    provisioning = CHECKOUT / mounted["/etc/grafana/provisioning"]
    (provider_file,) = (provisioning / "dashboards").glob("*.y*ml")
    (provider,) = yaml.safe_load(provider_file.read_text(encoding="utf-8"))["providers"]
    boards = {file.name for file in (CHECKOUT / mounted[provider["options"]["path"]]).iterdir()}

    assert boards == {"overview.json", "publishing.json", "queues.json", "dependencies.json"}
    home = GRAFANA["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/overview.json"


def test_grafana_asks_prometheus_by_its_container():
    """The data source is the container at the port it listens on, on the network they share."""
    (file,) = (CHECKOUT / mounts(GRAFANA)["/etc/grafana/provisioning"] / "datasources").glob("*.y*ml")
    (source,) = yaml.safe_load(file.read_text(encoding="utf-8"))["datasources"]

    assert source["url"] == "http://prometheus:9090"
    assert set(GRAFANA["networks"]) & set(PROMETHEUS["networks"])


def test_nobody_gets_into_grafana_without_the_password():
    """It comes from a secret; nobody is let in unnamed, and nobody can sign up."""
    environment = GRAFANA["environment"]

    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] in secret_files(GRAFANA)
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"


@pytest.mark.parametrize(
    "name",
    [
        "GF_ANALYTICS_REPORTING_ENABLED",
        "GF_ANALYTICS_CHECK_FOR_UPDATES",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES",
        "GF_NEWS_NEWS_FEED_ENABLED",
        "GF_SNAPSHOTS_EXTERNAL_ENABLED",
    ],
)
def test_grafana_tells_nobody_that_it_runs(name):
    """No telemetry, no look for updates, no news, no snapshots at somebody else's."""
    assert GRAFANA["environment"][name] == "false"
