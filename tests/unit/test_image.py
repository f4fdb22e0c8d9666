from __future__ import annotations

import errno
import re
import socket
import tomllib
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from deploy.docker import healthcheck

CHECKOUT = Path(__file__).parents[2]
DOCKERFILE = (CHECKOUT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
_DEADLINE_S = 60


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (302, False)])
def test_only_a_ready_answer_is_healthy(status, healthy):
    """The health check is content with 200 alone, and otherwise quotes the answer for the container's health log."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"the database is away")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server, ThreadPoolExecutor(1) as thread:
        served = thread.submit(server.handle_request)
        url = f"http://127.0.0.1:{server.server_port}/readyz"
        fault = healthcheck.check(url)
        served.result(_DEADLINE_S)

    assert (fault is None) is healthy
    assert healthy or fault == f"{url} answered {status}: the database is away"


def test_no_answer_is_unhealthy():
    """The health check fails in one line where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/readyz"

        assert healthcheck.check(url) == f"{url} did not answer: [Errno {errno.ECONNREFUSED}] Connection refused"


def test_secrets_reach_neither_image_nor_history():
    """The image is built from named files only, and git ignores the directory."""
    ignore = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    taken = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copied = {name for line in re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()}

    assert "*" in ignore
    assert taken == copied
    assert all((CHECKOUT / name).exists() for name in taken)
    assert "/secrets/" in (CHECKOUT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_image_holds_every_package():
    """Whatever the wheel is made of is there when it is made."""
    wheel = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"][
        "targets"
    ]
    sources = {path.partition("/")[0] for path in [*wheel["wheel"]["packages"], *wheel["wheel"]["force-include"]]}

    assert {f"COPY {source} {source}" for source in sources} <= set(DOCKERFILE.splitlines())


def test_the_image_is_named_after_the_version():
    """Image, label and package carry one version."""
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    compose = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8"))
    images = {container["image"] for container in compose["services"].values() if "build" in container}

    assert images == {f"instadistro:{version}"}
    assert f"ARG VERSION={version}\n" in DOCKERFILE


def test_the_image_runs_as_nobody_special():
    """The last stage of the image ends as a numbered user without rights, which is how Kubernetes can tell, too."""
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]

    assert re.findall(r"^USER (\S+)$", last_stage, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^(?:CMD|ENTRYPOINT) (.)", last_stage, re.MULTILINE) == ["["]
    assert "pip" not in last_stage
