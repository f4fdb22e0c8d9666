"""What `instadistro status` makes of the metrics of several processes: sums, maxima, the unknown, what to do next."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from rich.console import Console

from deploy.status import PartSeen, Reading, Target, findings, next_step, render, silent_servers, summarise, targets_at
from deploy.status.samples import parse
from shared.errors import SettingsError

CHECKOUT = Path(__file__).parents[2]
NOW = datetime(2030, 1, 1, tzinfo=UTC)


class Told:
    """An exposition as a service makes it."""

    def __init__(self, service):
        self.service = service
        self.registry = CollectorRegistry()
        self.metrics = {}
        self.gauge("instadistro_build_info", 1, service=service, version="1.2.3")

    def gauge(self, name, value, **labels):
        return self._feed(Gauge, name, labels, lambda metric: metric.set(value))

    def counter(self, name, value, **labels):
        return self._feed(Counter, name, labels, lambda metric: metric.inc(value))

    def times(self, name, seconds, **labels):
        def feed(metric):
            for each in seconds:
                metric.observe(each)

        return self._feed(Histogram, name, labels, feed, buckets=(1, 60, 600))

    def _feed(self, kind, name, labels, feed, **options):
        if name not in self.metrics:
            self.metrics[name] = kind(name, "Told in a test.", tuple(labels), registry=self.registry, **options)
        metric = self.metrics[name]
        feed(metric.labels(**labels) if labels else metric)
        return self

    def reading(self, *, port=1, failed=None):
        samples = parse(generate_latest(self.registry).decode())
        target = Target(name=None, host="127.0.0.1", port=port)
        return Reading(target=target, samples=samples, failed=failed or {})


def silent(name):
    return Reading(target=Target(name=name, host="10.0.0.9", port=9101), error="nobody listens there")


def well():
    """Four services of which nothing is wrong."""
    scheduler = (
        Told("scheduler").gauge("instadistro_outbox_due", 0).gauge("instadistro_outbox_oldest_due_age_seconds", 0)
    )
    return [Told("api").reading(), scheduler.reading(), Told("publisher").reading(), Told("health").reading()]


def seen(readings):
    return summarise(readings, now=NOW)


def text(summary, **more):
    output = StringIO()
    Console(file=output, width=150).print(render(summary, **more))
    return output.getvalue()


def test_what_every_scheduler_shows_counts_once():
    """Depths and ages of the same queues, and the outbox of the same database, are maxima over replicas, never sums."""
    first, second = Told("scheduler"), Told("scheduler")
    for told, depth, wait in ((first, 7, 3.0), (second, 9, 2.0)):
        lane = {"queue": "jobs.publisher.v1", "priority": "critical"}
        told.gauge("instadistro_queue_depth", depth, **lane)
        told.gauge("instadistro_queue_oldest_age_seconds", wait, **lane)
        told.gauge("instadistro_outbox_due", depth)

    summary = seen([first.reading(), second.reading()])

    assert [(queue.name, queue.depth, queue.oldest_s) for queue in summary.queues] == [("jobs.publisher.v1", 9, 3.0)]
    assert summary.outbox.due == 9


def test_what_each_replica_counts_is_added():
    """Requests, cache reads, endings and parked jobs of two processes are sums."""
    replicas = []
    for hits in (80, 60):
        api = Told("api").counter("instadistro_cache_requests_total", hits, namespace="account", result="hit")
        api.counter("instadistro_cache_requests_total", 20, namespace="account", result="miss")
        api.counter("instadistro_cache_requests_total", 99, namespace="account", result="bypass")
        replicas.append(api.times("instadistro_http_request_duration_seconds", [0.1, 0.1], code="200").reading())
    for state in ("published", "failed"):
        publisher = Told("publisher").counter("instadistro_publications_ended_total", 5, outcome=state)
        publisher.counter("instadistro_dead_letters_total", 2, reason="exhausted")
        publisher.times("instadistro_publication_lateness_seconds", [0.5, 61.0])
        replicas.append(publisher.reading())

    summary = seen(replicas)

    assert summary.requests.answered == 4
    assert summary.cache.reads == 180
    assert summary.cache.hit_ratio == pytest.approx(140 / 180)
    assert summary.publications.ended == {"published": 5, "failed": 5}
    assert summary.publications.on_time_ratio == pytest.approx(0.5)
    assert summary.dead_jobs.parked == {"exhausted": 4}


def test_a_metric_that_is_only_declared_elsewhere_says_nothing():
    """Every process shows every metric at zero; only the one that feeds it is believed."""
    idle = Told("api").gauge("instadistro_outbox_due", 0).gauge("instadistro_dead_jobs", 0)

    summary = seen([idle.reading(), silent("scheduler")])

    assert (summary.outbox.due, summary.dead_jobs.waiting, summary.accounts) == (None, None, None)
    assert "outbox        unknown due" in text(summary)


def test_alerts_of_the_tenants_are_added_up_by_severity_and_counted_once():
    """Two health processes show the same alerts; their codes are added, their replicas are not."""
    health = Told("health")
    health.gauge("instadistro_alerts_live", 2, code="token", severity="critical")
    health.gauge("instadistro_alerts_live", 3, code="quota", severity="critical")

    summary = seen([health.reading(port=1), health.reading(port=2)])

    assert summary.alerts == {"critical": 5}
    assert summary.alert_codes == {"quota": 3, "token": 2}


def test_a_queue_without_a_consumer_is_told_where_the_broker_is_asked():
    """Consumers are known from the broker's own metrics alone; without them they are unknown, not none."""
    scheduler = Told("scheduler").gauge("instadistro_queue_depth", 1, queue="jobs.publisher.v1", priority="normal")
    broker = Told("rabbitmq").gauge("rabbitmq_detailed_queue_consumers", 0, vhost="/", queue="jobs.publisher.v1")

    told = seen([scheduler.reading(), broker.reading()])
    untold = seen([scheduler.reading()])

    assert told.queues[0].consumers == 0
    assert [each.text for each in findings(told)] == ["Nobody takes jobs from jobs.publisher.v1."]
    assert untold.queues[0].consumers is None
    assert findings(untold) == []


def test_who_tells_nothing_is_told_and_what_it_knows_is_unknown():
    """Neither a broker that hangs nor numbers of processes that are away look like all is well."""
    summary = seen([silent("api"), silent("publisher"), silent("health"), silent("rabbitmq")])

    assert summary.alerts is None
    assert summary.publications.ended is None
    assert "cache         unknown" in text(summary)
    assert "rabbitmq at 10.0.0.9:9101 tells nothing: nobody listens there." in [each.text for each in findings(summary)]


async def test_a_server_that_takes_connections_and_says_nothing_is_silent():
    """As one does that is stopped, whose system still takes connections for it."""
    stop = asyncio.Event()

    async def say_nothing(_reader, writer):
        await stop.wait()
        writer.close()

    async def refuse(reader, writer):
        await reader.read(8)
        writer.write(b"-NOAUTH")
        writer.close()

    async with (
        await asyncio.start_server(say_nothing, "127.0.0.1") as stopped,
        await asyncio.start_server(refuse, "127.0.0.1") as well,
    ):
        ports = {"postgres": stopped.sockets[0].getsockname()[1], "redis": well.sockets[0].getsockname()[1], "api": 1}
        silent_ones = await silent_servers(ports)
        stop.set()

    assert silent_ones == {"postgres"}


def test_all_is_well_is_said_only_where_it_is():
    """The last line says that all is well, or begins with what to do."""
    assert text(seen(well())).rstrip().endswith("All is well.")
    assert "Do next: instadistro doctor" in text(seen([*well(), silent("scheduler")]))


@pytest.mark.parametrize(
    ("service", "metric", "value", "labels", "todo"),
    [
        ("scheduler", "outbox_oldest_due_age_seconds", 31, {}, "instadistro doctor"),
        ("scheduler", "queue_oldest_age_seconds", 61, {"queue": "q", "priority": "high"}, "instadistro jobs stats"),
        ("scheduler", "queue_oldest_age_seconds", 901, {"queue": "q", "priority": "low"}, "instadistro jobs stats"),
        ("scheduler", "dead_jobs", 1, {}, "instadistro jobs dead"),
        ("scheduler", "invariant_breaches", 1, {"invariant": "twice"}, "docs/runbooks/InvariantBroken.md"),
        ("scheduler", "publications_open", 1, {"state": "held"}, "GET /v1/publications?state=held"),
        ("scheduler", "publications_oldest_due_age_seconds", 61, {}, "docs/runbooks/PublicationsStuck.md"),
        ("scheduler", "accounts", 1, {"state": "NEEDS_REAUTH"}, "GET /v1/accounts?state=NEEDS_REAUTH"),
        ("scheduler", "tokens_ending", 1, {"within_days": "1"}, "docs/runbooks/TokensEnding.md"),
        ("publisher", "platform_breaker_open", 1, {}, "docs/runbooks/PlatformDown.md"),
        ("publisher", "broker_blocked", 1, {"role": "publisher-sender"}, "docs/runbooks/BrokerBlocked.md"),
        ("health", "incidents_open", 1, {"error_class": "reauth"}, "docs/runbooks/IncidentOpen.md"),
        ("health", "alerts_live", 1, {"code": "token", "severity": "critical"}, "GET /v1/alerts"),
        ("api", "cache_breaker_open", 1, {}, "instadistro doctor"),
    ],
)
def test_each_fault_is_found_and_says_what_to_do(service, metric, value, labels, todo):
    """One value beyond what is right gives one finding, with its command."""
    told = Told(service).gauge(f"instadistro_{metric}", value, **labels)

    found = findings(seen([told.reading()]))

    assert [each.todo for each in found] == [todo]
    assert not todo.startswith("docs/") or (CHECKOUT / todo).is_file()
    assert next_step(found) == f"Do next: {todo}"


def test_the_most_urgent_comes_first():
    """What makes posts late stands before what a person should look at today."""
    readings = [Told("scheduler").gauge("instadistro_dead_jobs", 3).reading(failed={"broker": "away"})]

    found = findings(seen(readings), parts=[PartSeen(name="emulator", state="died", pid=1, port=2, since="")])

    assert [each.severe for each in found] == [True, True, False]
    assert next_step(found) == "Do next: instadistro doctor (and 2 more things above)"


def test_the_status_is_data_as_well():
    """Everything that is shown can be printed as JSON."""
    fields = json.loads(json.dumps(asdict(seen(well()))))

    assert [service["name"] for service in fields["services"]] == ["api", "scheduler", "publisher", "health"]
    assert fields["services"][0]["version"] == "1.2.3"


async def test_a_place_is_a_host_with_or_without_a_port():
    """A service's name gives its port, any other host is asked on the ports of all four."""
    named = await targets_at(["127.0.0.1:9100", "[::1]:9101"])
    whole = await targets_at(["127.0.0.1"])

    assert [(each.name, each.where) for each in named] == [("api", "127.0.0.1:9100"), ("scheduler", "[::1]:9101")]
    assert [(each.name, each.port) for each in whole] == [
        ("api", 9100),
        ("scheduler", 9101),
        ("publisher", 9102),
        ("health", 9103),
    ]


@pytest.mark.parametrize("place", ["", "host:", "host:0", "host:99999", "http://host", "user@host", "host/path"])
async def test_a_place_that_is_none_is_refused(place):
    """The message names it, so that it can be corrected."""
    with pytest.raises(SettingsError, match="no HOST"):
        await targets_at([place])
