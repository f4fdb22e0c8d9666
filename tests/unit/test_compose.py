from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from dataclasses import MISSING, fields
from urllib.parse import urlsplit

import click
import pytest

from deploy.cli.main import cli
from deploy.docker import healthcheck
from deploy.local.own_parts import SERVICES
from deploy.local.ports import NAMES, Ports, variable
from shared.settings import Settings
from tests.compose_files import CHECKOUT, CORE, published, read, secret_files

COMPOSE = read(CORE)
CONTAINERS = COMPOSE["services"]
OURS = {name for name, container in CONTAINERS.items() if "build" in container}
SETTINGS = {item.name.upper(): item for item in fields(Settings)}
REQUIRED = {name for name, item in SETTINGS.items() if item.default is MISSING}
# What the images of others read.
IMAGES_OWN = {"postgres": {"POSTGRES_PASSWORD_FILE"}}
# The one setting that no container is given: it serves tests that kill processes.
NOT_FOR_CONTAINERS = {"KILL_POINTS_DIR"}
_DEADLINE_S = 60


def test_the_file_is_what_compose_expects():
    """The file is valid under the schema of the Compose specification."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(CORE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_DEADLINE_S)

    assert checked.returncode == 0, checked.stdout


def test_the_whole_system_is_there():
    """Three servers, four services and the migrations; the emulator, Prometheus and Grafana only when asked for."""
    asked_for = {"emulator": ["emulator"], "prometheus": ["observability"], "grafana": ["observability"]}

    assert set(CONTAINERS) == {"postgres", "redis", "rabbitmq", *SERVICES, "migrate", *asked_for}
    assert {*SERVICES, "migrate", "emulator"} == OURS
    assert {name: item["profiles"] for name, item in CONTAINERS.items() if "profiles" in item} == asked_for


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_started_as_its_module(name):
    """The command of a service runs a module that is there."""
    assert CONTAINERS[name]["command"] == ["python", "-m", f"services.{name}"]
    assert importlib.util.find_spec(f"services.{name}.__main__") is not None


@pytest.mark.parametrize("name", ["migrate", "emulator"])
def test_a_command_of_the_console_script_is_one_it_has(name):
    """The command is one of `instadistro`, with options that it takes."""
    program, command_name, *arguments = CONTAINERS[name]["command"]
    command = cli.get_command(click.Context(cli), command_name)

    assert program == "instadistro"
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("-")} <= known


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_healthy_when_it_is_ready(name):
    """The health check asks the readiness of the service itself, at the port that it is told to listen on."""
    *program, url = CONTAINERS[name]["healthcheck"]["test"]

    assert program == ["CMD", "python", "-m", healthcheck.__name__]
    assert urlsplit(url).path == "/readyz"
    assert str(urlsplit(url).port) == CONTAINERS[name]["environment"][f"{name.upper()}_INTERNAL_PORT"]


def test_everything_that_stays_up_has_a_health_check():
    """Only the one-shot migrations have none."""
    assert {name for name, container in CONTAINERS.items() if "healthcheck" not in container} == {"migrate"}


def test_ports_inside_are_the_defaults():
    """The listeners of the services and the emulator keep the ports that the code and its documents name."""
    environment = CONTAINERS["api"]["environment"]
    given = {name: value for name, value in environment.items() if name.endswith("_PORT")}
    command = CONTAINERS["emulator"]["command"]

    assert given == {name: str(SETTINGS[name].default) for name in SETTINGS if name.endswith("_PORT")}
    assert command[command.index("--port") + 1] == str(Ports().emulator)


def test_ports_outside_are_the_defaults_on_loopback():
    """Five ports are published: to this machine alone, where `make up` has them, and movable by the same variables."""
    defaults = {variable(name): getattr(Ports(), name) for name in NAMES} | {"GRAFANA_PORT": 3000}
    inside = {"api": ("API_PORT", 8080), "emulator": ("EMULATOR_PORT", 8090)}
    inside |= {"rabbitmq": ("RABBITMQ_MANAGEMENT_PORT", 15672), "prometheus": ("PROMETHEUS_PORT", 9090)}
    inside["grafana"] = ("GRAFANA_PORT", 3000)

    for name, container in CONTAINERS.items():
        expected = (
            [("127.0.0.1", inside[name][0], str(defaults[inside[name][0]]), inside[name][1])] if name in inside else []
        )
        assert published(container) == expected, name


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_every_variable_is_known(name):
    """A container is given settings that the code knows, or variables of its image; nothing is spelled wrong."""
    environment = set(CONTAINERS[name].get("environment", {}))
    known = {*SETTINGS, *(f"{setting}_FILE" for setting in SETTINGS)} if name in OURS else IMAGES_OWN.get(name, set())

    assert {variable for variable in environment if name != "grafana" or not variable.startswith("GF_")} <= known


def test_every_setting_reaches_the_services():
    """Each setting is given, read from a secret, or passed on from the shell and .env."""
    settings = {name.removesuffix("_FILE") for name in CONTAINERS["api"]["environment"]}

    assert settings == set(SETTINGS) - NOT_FOR_CONTAINERS
    assert all(CONTAINERS[name]["environment"] == CONTAINERS["api"]["environment"] for name in (*SERVICES, "migrate"))


@pytest.mark.parametrize("name", [*SERVICES, "migrate"])
def test_required_settings_come_from_secret_files(name):
    """Every required setting is read from a file that is mounted into the container, none from the environment."""
    container = CONTAINERS[name]

    for setting in REQUIRED:
        assert setting not in container["environment"]
        assert container["environment"][f"{setting}_FILE"] in secret_files(container)


def test_containers_wait_for_what_is_there():
    """Every dependency is a container, and one that must be healthy has a health check."""
    for container in CONTAINERS.values():
        for target, how in container.get("depends_on", {}).items():
            assert target in CONTAINERS
            assert how["condition"] != "service_healthy" or "healthcheck" in CONTAINERS[target]


@pytest.mark.parametrize("name", SERVICES)
def test_migrations_end_before_a_service_starts(name):
    """A service starts when the migrations have succeeded, which ran when the database was healthy."""
    assert CONTAINERS[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert CONTAINERS["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert CONTAINERS["migrate"]["restart"] == "no"


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_a_container_can_do_little(name):
    """No capabilities, no new privileges, no writable image, no unbounded memory, processes or logs, no root."""
    container = CONTAINERS[name]

    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["read_only"] is True
    assert container["init"] is True
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc"} & set(container)
    assert {"memory", "pids"} <= set(container["deploy"]["resources"]["limits"])
    assert {"max-size", "max-file"} <= set(container["logging"]["options"])
    assert name in OURS or container["user"] not in {"root", "0"}


def test_images_are_pinned():
    """Every image of others has an exact version, and the servers are of the supported lines."""
    images = {name: CONTAINERS[name]["image"] for name in set(CONTAINERS) - OURS}
    lines = {"postgres": "postgres:18.", "redis": "redis:8.", "rabbitmq": "rabbitmq:4.3."}
    lines |= {"prometheus": "prom/prometheus:v3.", "grafana": "grafana/grafana:12."}

    assert all(images[name].startswith(line) for name, line in lines.items())
    assert set(lines) == set(images)
    assert all(re.search(r":v?\d+\.\d+", image) for image in images.values())


def test_the_broker_runs_its_plugins():
    """The management and metrics plugins are in the file that RabbitMQ is given."""
    mounts = dict(volume.split(":")[:2][::-1] for volume in CONTAINERS["rabbitmq"]["volumes"])
    plugins = (CHECKOUT / mounts["/etc/rabbitmq/enabled_plugins"]).read_text(encoding="utf-8")

    assert set(re.findall(r"\w+", plugins)) == {"rabbitmq_management", "rabbitmq_prometheus"}
    assert re.fullmatch(r"\[[\w,]+\]\.\n", plugins)


def test_mounted_files_and_volumes_exist():
    """All that is mounted is in the checkout and read-only, every volume is defined, and each one is used."""
    volumes = set()
    for container in CONTAINERS.values():
        for source, *rest in (volume.split(":") for volume in container.get("volumes", [])):
            if source.startswith("./"):
                assert (CHECKOUT / source).exists(), source
                assert rest[1:] == ["ro"]
            else:
                volumes.add(source)

    assert volumes == set(COMPOSE["volumes"])
    assert "postgres:/var/lib/postgresql" in CONTAINERS["postgres"]["volumes"]


def test_servers_have_no_way_out():
    """PostgreSQL and Redis are in the inner network only, and the emulator is not in it; webhooks and calls get out."""
    assert COMPOSE["networks"]["servers"] == {"internal": True}
    assert all("platform" in CONTAINERS[name]["networks"] for name in SERVICES)
    assert CONTAINERS["postgres"]["networks"] == CONTAINERS["redis"]["networks"] == ["servers"]
    assert CONTAINERS["emulator"]["networks"] == ["platform"]
    assert {network for container in CONTAINERS.values() for network in container["networks"]} == set(
        COMPOSE["networks"]
    )
