"""The image and the Compose file for backups fit the system that they are for. There is no engine here to run them."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import yaml

from shared.settings import Settings

CHECKOUT = Path(__file__).parents[2]
OVERLAY_FILE = CHECKOUT / "deploy" / "docker" / "operator.yml"
OVERLAY = yaml.safe_load(OVERLAY_FILE.read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8"))
OPERATOR = OVERLAY["services"]["operator"]
DOCKERFILE = (CHECKOUT / OPERATOR["build"]["dockerfile"]).read_text(encoding="utf-8")
_DEADLINE_S = 60


def test_the_overlay_is_what_compose_expects():
    """It is valid by the Compose specification, and all that it names is in the file it is laid over."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(OVERLAY_FILE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_DEADLINE_S)

    assert checked.returncode == 0, checked.stdout
    assert set(OPERATOR["secrets"]) <= set(COMPOSE["secrets"])
    assert set(OPERATOR["networks"]) <= set(COMPOSE["networks"])
    assert set(OPERATOR["depends_on"]) <= set(COMPOSE["services"])
    assert {volume.split(":")[0] for volume in OPERATOR["volumes"]} <= {*COMPOSE["volumes"], *OVERLAY["volumes"]}


def test_a_command_in_it_is_told_every_setting_that_has_no_default():
    """And those that say where media are."""
    names = {field.name.upper() for field in fields(Settings)}
    told = {name.removesuffix("_FILE") for name in OPERATOR["environment"]}
    given = {path.rpartition("/")[2] for path in OPERATOR["environment"].values() if path}

    assert told <= names
    assert {"DATABASE_URL", "REDIS_URL", "AMQP_URL", "TOKEN_KEYS", "CURSOR_SECRET", "API_KEY_PEPPER"} <= told
    assert given == set(OPERATOR["secrets"])


def test_its_programs_are_of_the_server_that_compose_runs():
    """pg_dump refuses a server that is newer; it is built on the image of this version, and runs as its user."""
    [server] = re.findall(r"^postgres:(\d+)\.", COMPOSE["services"]["postgres"]["image"])
    [base] = re.findall(r"^ARG IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)

    assert f"ARG POSTGRES_MAJOR={server}\n" in DOCKERFILE
    assert base == COMPOSE["services"]["api"]["image"]
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1] == "10001:10001"
