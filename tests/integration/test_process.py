"""A service as a process: what it says when it cannot start, and how it ends."""

import os
import signal
import subprocess
import sys

import pytest

from deploy.local import free_ports

SERVICES = ["api", "scheduler", "publisher", "health"]


def start(service, environment):
    return subprocess.Popen(
        [sys.executable, "-P", "-m", f"services.{service}"],
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("service", SERVICES)
def test_wrong_settings_are_told_all_at_once_with_status_2(service):
    """Nobody mends one fault only to be told of the next."""
    with start(service, {"DATABASE_URL": "mysql://x", "LEASE_S": "soon", "API_PORT": "99999999"}) as process:
        _, said = process.communicate(timeout=60)

    assert process.returncode == 2
    for name in ("DATABASE_URL", "REDIS_URL", "AMQP_URL", "TOKEN_KEYS", "CURSOR_SECRET", "LEASE_S", "API_PORT"):
        assert f"- {name} " in said


def test_a_database_that_is_away_is_one_sentence_and_status_1():
    """An operator is told what to check, not shown a trace."""
    environment = {
        "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:9/none",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "AMQP_URL": "amqp://127.0.0.1:9/",
        "TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "CURSOR_SECRET": "0123456789abcdef",
        "API_KEY_PEPPER": "0123456789abcdef",
        "LOG_FORMAT": "json",
    }
    with start("scheduler", environment) as process:
        said, trace = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "PostgreSQL cannot be reached" in said
    assert "Check DATABASE_URL" in said
    assert "Traceback" not in said + trace


def test_a_service_that_is_told_to_stop_ends_with_status_0(database_url, amqp_url, redis_url, unused_port):
    """SIGTERM is an order, not an accident."""
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "AMQP_URL": amqp_url,
        "TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "CURSOR_SECRET": "0123456789abcdef",
        "API_KEY_PEPPER": "0123456789abcdef",
        "PUBLISHER_INTERNAL_PORT": str(unused_port),
        "LOG_FORMAT": "json",
    }
    with start("publisher", environment) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "consumer.started" in line)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)

    assert line
    assert "service.stopped" in rest
    assert process.returncode == 0


@pytest.fixture
def unused_port():
    """A port nobody listens on."""
    with free_ports() as ports:
        yield ports.publisher_internal
