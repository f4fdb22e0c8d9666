"""A service as a process: what it says when it cannot start, and how it ends."""

import json
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
        said, trace = process.communicate(timeout=60)

    assert process.returncode == 2
    assert trace == ""
    line = json.loads(said)
    assert (line["event"], line["service"]) == ("service.settings_wrong", service)
    for name in ("DATABASE_URL", "REDIS_URL", "AMQP_URL", "TOKEN_KEYS", "CURSOR_SECRET", "LEASE_S", "API_PORT"):
        assert f"- {name} " in line["error"]


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


def test_a_service_that_is_told_to_stop_ends_with_status_0(environment):
    """SIGTERM is an order, not an accident."""
    with start("publisher", environment) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "consumer.started" in line)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)

    assert line
    assert "service.stopped" in rest
    assert process.returncode == 0


def test_a_service_that_is_asked_tells_how_it_does_and_goes_on(environment):
    """Each SIGUSR1 logs one report of the process; nothing else changes."""
    with start("publisher", environment) as process:
        assert process.stdout is not None
        lines = (json.loads(line) for line in process.stdout)
        next(line for line in lines if line["event"] == "consumer.started")
        reports = []
        for _ in range(2):
            process.send_signal(signal.SIGUSR1)
            reports.append(next(line for line in lines if line["event"] == "performance.report"))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert process.returncode == 0
    for report in reports:
        assert (report["service"], report["pid"]) == ("publisher", process.pid)
        assert report["memory_usage"]["rss_bytes"] > 0
        assert report["query_stats"]["total_queries"] > 0
        assert "job_stats" in report
    assert reports[0]["uptime"] <= reports[1]["uptime"]


@pytest.fixture
def environment(database_url, amqp_url, redis_url):
    """The settings of a publisher on the servers of the test."""
    with free_ports() as ports:
        yield {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "AMQP_URL": amqp_url,
            "TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            "CURSOR_SECRET": "0123456789abcdef",
            "API_KEY_PEPPER": "0123456789abcdef",
            "PUBLISHER_INTERNAL_PORT": str(ports.publisher_internal),
            "LOG_FORMAT": "json",
        }
