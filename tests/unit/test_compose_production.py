"""The production overlay: nothing is built, every limit is set, secrets come from a directory outside the checkout."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from deploy.local.own_parts import SERVICES
from tests.compose_files import CORE, OVERLAY, Reset, merged, plain, published, read

BASE = read(CORE)
PRODUCTION = merged()
CONTAINERS = PRODUCTION["services"]
ALWAYS_UP = sorted(set(CONTAINERS) - {"migrate", "emulator"})
_DEADLINE_S = 60
_UNITS = {"M": 1, "G": 1024}


def mebibytes(text):
    return int(text[:-1]) * _UNITS[text[-1]]


@pytest.mark.parametrize("content", [plain(read(OVERLAY)), PRODUCTION], ids=["the overlay", "both"])
def test_the_files_are_what_compose_expects(content, tmp_path):
    """The overlay, and what comes of laying it over the other one, are valid under the schema of the specification."""
    file = tmp_path / "compose.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_DEADLINE_S)

    assert checked.returncode == 0, checked.stdout


def test_nothing_is_built():
    """Each of our containers runs the image that the operator names, and fails with a sentence if none is named."""
    ours = {name for name, container in BASE["services"].items() if "build" in container}

    assert all(isinstance(read(OVERLAY)["services"][name]["build"], Reset) for name in ours)
    assert not [name for name, container in CONTAINERS.items() if "build" in container]
    assert all(CONTAINERS[name]["image"].startswith("${INSTADISTRO_IMAGE:?") for name in ours)


def test_the_overlay_names_only_what_is_there():
    """Neither a container nor a secret is spelled wrong."""
    overlay = read(OVERLAY)

    assert set(overlay["services"]) == set(BASE["services"])
    assert set(overlay["secrets"]) == set(BASE["secrets"])


@pytest.mark.parametrize("name", ALWAYS_UP)
def test_a_container_is_bounded_and_comes_back(name):
    """Limits of memory, processes and processors, a share that is kept for it, restarts, and bounded logs."""
    container = CONTAINERS[name]
    limits, kept = (container["deploy"]["resources"][which] for which in ("limits", "reservations"))

    assert {"cpus", "memory", "pids"} <= set(limits)
    assert mebibytes(kept["memory"]) <= mebibytes(limits["memory"])
    assert float(kept["cpus"]) <= float(limits["cpus"])
    assert mebibytes(limits["memory"]) >= mebibytes(BASE["services"][name]["deploy"]["resources"]["limits"]["memory"])
    assert container["restart"] == "always"
    assert {"max-size", "max-file"} <= set(container["logging"]["options"])


@pytest.mark.parametrize("name", ALWAYS_UP)
def test_a_container_stays_as_closed_as_it_was(name):
    """Nothing that the other file takes away is given back."""
    for key in ("read_only", "cap_drop", "security_opt", "init", "user", "networks", "healthcheck", "tmpfs"):
        assert CONTAINERS[name].get(key) == BASE["services"][name].get(key)


@pytest.mark.parametrize("name", SERVICES)
def test_services_run_twice(name):
    """One may end while the other goes on; the gateways have a port each."""
    container = CONTAINERS[name]

    assert container["deploy"]["replicas"] == 2
    if name == "api":
        ((address, _, ports, inside),) = published(container)
        first, last = map(int, ports.split("-"))
        assert (address, last - first + 1, inside) == ("127.0.0.1", 2, 8080)
    else:
        assert "ports" not in container


def test_what_only_the_operator_knows_is_asked_for():
    """The public address has no default, and secrets are files of a directory that is not the checkout's."""
    assert all(CONTAINERS[name]["environment"]["PUBLIC_URL"].startswith("${PUBLIC_URL:?") for name in SERVICES)
    for name, secret in PRODUCTION["secrets"].items():
        base = BASE["secrets"][name]["file"].removeprefix("./secrets/")
        assert secret["file"] == f"${{INSTADISTRO_SECRETS:-/etc/instadistro/secrets}}/{base}"


def test_the_servers_fit_their_limits():
    """Redis may fill two thirds of its memory, PostgreSQL's buffers half of its own; its connections are enough."""
    redis, postgres = CONTAINERS["redis"], CONTAINERS["postgres"]
    settings = dict(re.findall(r"(\w+)=(\S+)", " ".join(postgres["command"])))
    maxmemory = redis["command"][redis["command"].index("--maxmemory") + 1]

    assert maxmemory == "1gb"
    assert mebibytes(redis["deploy"]["resources"]["limits"]["memory"]) >= 1024 * 1.5
    assert int(settings["shared_buffers"].removesuffix("GB")) * 1024 * 2 <= mebibytes(
        postgres["deploy"]["resources"]["limits"]["memory"]
    )
    assert int(settings["max_connections"]) >= 2 * 82 + 30  # docs/database.md: 82 of one process of each service
