from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.settings import load_settings
from tests.compose_files import CHECKOUT, CORE, read, secret_files

COMPOSE = read(CORE)
CONTAINERS = COMPOSE["services"]
_DEADLINE_S = 60


def run(*command):
    """Run a program of the checkout and return how it ended."""
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=_DEADLINE_S)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    """A directory of secrets as the script makes it."""
    directory = tmp_path_factory.mktemp("compose") / "not there yet" / "secrets"
    made = run("sh", "deploy/docker/secrets.sh", str(directory))
    assert made.returncode == 0, made.stderr
    return directory


def test_every_secret_is_defined_used_and_made(secrets):
    """The secrets that containers name, those that are defined and the files that the script makes are the same."""
    used = {secret for container in CONTAINERS.values() for secret in secret_files(container).values()}
    paths = {name: secret["file"] for name, secret in COMPOSE["secrets"].items()}

    assert used == set(paths)
    assert {Path(path).parent for path in paths.values()} == {Path("secrets")}
    assert {Path(path).name for path in paths.values()} == {path.name for path in secrets.iterdir()}


def test_a_service_understands_its_environment(secrets):
    """What the api's container is given, with secrets as the script makes them, is a configuration without faults."""
    container = CONTAINERS["api"]
    inside = {
        path: secrets / COMPOSE["secrets"][name]["file"].split("/")[-1]
        for path, name in secret_files(container).items()
    }
    environment = {
        name: str(inside[value]) if name.endswith("_FILE") else value
        for name, value in container["environment"].items()
        if value is not None
    }

    settings = load_settings(environment)

    hosts = {urlsplit(url).hostname for url in (settings.database_url, settings.redis_url, *settings.amqp_url)}
    assert hosts == {"postgres", "redis", "rabbitmq"} <= set(CONTAINERS)
    assert settings.bind_host == "0.0.0.0"  # noqa: S104 - in a container the other containers must reach it
    assert f"media:{settings.media_store}" in container["volumes"]
    assert container["stop_grace_period"].endswith("s")
    assert float(container["stop_grace_period"].removesuffix("s")) > settings.drain_s


def test_servers_and_services_share_passwords(secrets):
    """Each server is given the name and password that the URL of the services holds."""
    told = {
        "database_url": r"ROLE (?P<user>\w+) LOGIN PASSWORD '(?P<password>\w+)';\nCREATE DATABASE (?P<path>\w+) ",
        "redis_url": r"user (?P<user>(?!default)\w+) on >(?P<password>\w+) ",
        "amqp_url": r"default_user = (?P<user>\w+)\ndefault_pass = (?P<password>\w+)\n",
    }
    files = {"database_url": "postgres_role.sql", "redis_url": "redis_users.acl", "amqp_url": "rabbitmq_user.conf"}

    for name, form in told.items():
        url = urlsplit((secrets / name).read_text(encoding="utf-8").strip())
        found = re.search(form, (secrets / files[name]).read_text(encoding="utf-8"))
        assert found is not None, name
        assert (url.username, url.password) == (found["user"], found["password"])
        assert "path" not in found.groupdict() or url.path == f"/{found['path']}"


def test_secrets_are_made_once(secrets):
    """A second run of the script leaves every file as it is; a gap is told, not filled with what fits nothing."""
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    again = run("sh", "deploy/docker/secrets.sh", str(secrets))
    (secrets / "token_keys").rename(secrets.parent / "token_keys")
    gap = run("sh", "deploy/docker/secrets.sh", str(secrets))
    (secrets.parent / "token_keys").rename(secrets / "token_keys")

    assert again.returncode == 0
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before
    assert gap.returncode == 1
    assert "missing in it: token_keys" in gap.stderr


def test_a_password_that_came_with_a_later_version_is_made(secrets):
    """A directory that an earlier version made lacks Grafana's; it is made, told, and nothing else changes."""
    (secrets / "grafana_admin_password").unlink()
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    added = run("sh", "deploy/docker/secrets.sh", str(secrets))
    made = (secrets / "grafana_admin_password").read_text(encoding="utf-8")

    assert added.returncode == 0
    assert "made grafana_admin_password" in added.stdout
    assert len(made) == 64
    assert {path.name: path.read_bytes() for path in secrets.iterdir() if path.name in before} == before


def test_secrets_are_closed_to_other_users(secrets):
    """The files can be read by the users of all containers, the directory only by its owner."""
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o444}
    assert [path.name for path in secrets.parent.iterdir()] == ["secrets"]
