"""A real Prometheus beside the running system: what boards, rules and alerts ask for is there, and alerts fire."""

from __future__ import annotations

from contextlib import suppress

import psutil
import pytest
import pytest_asyncio

from tests.observability import expressions
from tests.observability.faults import SHORT, fire
from tests.observability.ground import standing
from tests.observability.proof import expected_empty, not_as_listed, refused
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
_GAUGES_S = 30.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(enterable_directory):
    """The system with its Prometheus, after a load. The tests below are in this order: faults come last."""
    place = enterable_directory / "observed"
    place.mkdir(mode=0o711)
    async with standing(place) as standing_ground:
        await standing_ground.load()
        yield standing_ground


def shown():
    return expressions.panels() + expressions.marks() + expressions.recording_rules()


async def test_every_target_is_up(ground):
    """The four services, the broker with its queues, and Prometheus itself."""
    targets = await ground.prometheus.targets()

    assert {target["health"] for target in targets} == {"up"}, targets
    labels = [target["labels"] for target in targets]
    assert sorted(label.get("service", label["job"]) for label in labels) == sorted(
        ["api", "scheduler", "publisher", "health", "rabbitmq", "rabbitmq", "prometheus"]
    )


async def test_it_listens_on_loopback_alone_as_the_servers_account(ground):
    """Whoever is not on this machine does not reach it, and it is not root."""
    process = psutil.Process(ground.system.pid("prometheus"))
    listeners = [one.laddr for one in process.net_connections(kind="inet") if one.status == psutil.CONN_LISTEN]

    assert listeners == [("127.0.0.1", ground.system.ports.prometheus)]
    assert process.username() == ground.system.instance.account.name
    assert process.uids().real != 0


async def test_what_prometheus_counted_is_what_is_live(ground):
    """Publications, as the metrics count them, are the posts that the emulator shows; a share is a share."""

    async def counted_all():
        live = len(await ground.emulator("GET", "media"))
        counted = await ground.prometheus.values('sum(instadistro_publications_total{state="published"})')
        ended = await ground.prometheus.values('sum(instadistro_publications_ended_total{outcome="published"})')
        return live >= 20 and counted == ended == [live]

    await until(counted_all, what="as many publications counted as are live")
    ratios = await ground.prometheus.values("instadistro:cache_hit_ratio:rate5m")
    assert ratios
    assert all(0 <= ratio <= 1 for ratio in ratios)


async def test_prometheus_understands_every_expression(ground):
    """Those of all panels, recording rules and alerts."""
    assert await refused(ground.prometheus, shown() + expressions.alerts()) == []


async def test_every_expression_finds_its_data_or_is_listed_with_why(ground):
    """No panel is empty and no alert silent because it asks for a metric or a label that nobody has."""
    listed = expected_empty()
    told: list[str] = []

    async def as_listed():
        told[:] = await not_as_listed(ground.prometheus, shown=shown(), watched=expressions.alerts(), listed=listed)
        return not told

    with suppress(AssertionError):  # some gauges are read four times a minute only
        await until(as_listed, what="what is empty to be what is listed", deadline_s=_GAUGES_S)
    assert not told, "\n".join(told)


async def test_every_rule_is_evaluated_without_an_error(ground):
    """Prometheus tells of a rule that it could not evaluate."""
    rules = await ground.prometheus.rules()

    assert len(rules) == len(expressions.recording_rules()) + len(expressions.alerts())
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []


@pytest.mark.parametrize("fault", SHORT, ids=lambda fault: fault.what)
async def test_a_fault_fires_its_alerts(ground, fault):
    """The alert is pending or firing while the fault lasts."""
    await fire(ground, fault)
