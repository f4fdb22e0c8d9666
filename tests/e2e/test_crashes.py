"""Whatever dies, and wherever: 25 of 25 are live, none twice."""

import pytest

from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PUBLISHER_POINTS = [
    "publisher.received",
    "publisher.claimed",
    "publisher.child_answered",
    "publisher.child_committed",
    "publisher.children_finished",
    "publisher.container_answered",
    "publisher.container_committed",
    "publisher.publish_committed",
    "publisher.publish_answered",
    "publisher.result_committed",
]


async def test_without_any_fault_every_account_shows_the_post_once(live):
    """The plain run, for comparison."""
    caption, distribution_id = await live.distribute()

    await live.proven(caption, distribution_id)


async def test_publishers_that_die_at_every_step_lose_and_double_nothing(live):
    """Each step is committed before the next call. What two workers died of is parked, and a person goes on with it."""
    points = PUBLISHER_POINTS
    while points:  # a death at one step may carry a publication past another; that one has its turn in the next round
        points = await _die_at(live, points)


async def test_a_scheduler_that_dies_between_confirm_and_delete_sends_twice_and_publishes_once(live):
    """The outbox rows are sent again; the claim makes the second message harmless."""
    back = live.system.expect("scheduler", "ready")
    armed = live.arm("relay.confirmed")
    caption, distribution_id = await live.distribute()

    await back

    assert not armed.exists()
    await live.proven(caption, distribution_id)


async def test_a_scheduler_killed_during_a_distribution_goes_on_where_it_was(live):
    """The timetable is in the database."""
    caption, distribution_id = await live.distribute()
    back = live.system.expect("scheduler", "ready")

    live.system.kill("scheduler")
    await back

    await live.proven(caption, distribution_id)


async def test_a_killed_api_takes_nothing_with_it(live):
    """What was answered is committed; pictures are served again when it is back."""
    caption, distribution_id = await live.distribute()
    back = live.system.expect("api", "ready")

    live.system.kill("api")
    await back

    await live.proven(caption, distribution_id)


async def test_a_broker_that_loses_everything_is_filled_again(live):
    """RabbitMQ killed with its data directory emptied, in the midst of a distribution."""
    caption, distribution_id = await live.distribute()
    back = live.system.expect("rabbitmq", "ready")

    live.system.wipe_rabbitmq()
    await back

    await live.proven(caption, distribution_id)
    await live.system.wait_ready()


async def test_health_is_judged_served_and_aggregated(live):
    """The first look at each account ends in a score, and in the swarm's."""

    async def all_judged():
        swarm = await live.call("GET", "/v1/accounts/stats/swarm")
        return swarm if swarm["judged"] == len(live.account_ids) else None

    async def looked_at():
        health = await live.call("GET", f"/v1/accounts/{live.account_ids[0]}/health")
        return health if "capacity" in health["components"] else None  # the platform alone knows it

    swarm = await until(all_judged, what="a score for every account", deadline_s=330)
    health = await until(looked_at, what="a look at the first account")

    assert swarm["publishable_ratio"] == 1.0
    assert swarm["score"] > 80
    assert health["score"] > 80
    assert set(health["components"]) == {"access", "publishing", "errors", "capacity"}


@pytest.mark.parametrize("service", ["api", "scheduler", "publisher", "health"])
async def test_every_service_tells_how_it_is(live, service):
    """Liveness, readiness and metrics on the internal port."""
    base = f"http://127.0.0.1:{getattr(live.system.ports, f'{service}_internal')}"

    async def ready():
        async with live.http.get(f"{base}/readyz") as answer:
            return answer.status == 200

    # The broker was away in a test before: consumers come back by themselves, within seconds.
    await until(ready, what=f"readiness of {service}")
    async with live.http.get(f"{base}/healthz") as answer:
        assert answer.status == 200
    async with live.http.get(f"{base}/metrics") as answer:
        assert "instadistro_" in await answer.text()


async def test_the_queues_and_the_cache_are_measured(live):
    """Queue depth and cache hits are there for an operator to see."""
    api, scheduler = (
        f"http://127.0.0.1:{port}/metrics"
        for port in (live.system.ports.api_internal, live.system.ports.scheduler_internal)
    )

    async def depths():
        async with live.http.get(scheduler) as answer:
            return 'instadistro_queue_depth{priority="critical",queue="jobs.publisher.v1"}' in await answer.text()

    async def hit():
        """What the gateway tells once a list came from the cache: an account that changes just then makes it a miss."""
        await live.call("GET", "/v1/accounts")
        async with live.http.get(api) as answer:
            text = await answer.text()
        hits = [
            line for line in text.splitlines() if line.startswith("instadistro_cache_requests_total{") and "hit" in line
        ]
        return text if any(float(line.rsplit(" ", 1)[1]) > 0 for line in hits) else None

    await until(depths, what="the depth of the publisher's queue")
    text = await until(hit, what="a list from the cache")

    assert 'instadistro_http_request_duration_seconds_count{code="200",method="GET",route="/v1/accounts"}' in text


async def _die_at(live, points):
    """A distribution in which one publication's worker dies at each point; returns those that nobody passed."""
    caption, distribution_id = await live.distribute(items=2)
    page = await live.call("GET", f"/v1/publications?distribution_id={distribution_id}&limit=100")
    latest = sorted(page["data"], key=lambda publication: publication["publish_at"], reverse=True)
    armed = [live.arm(point, subject=victim["id"]) for point, victim in zip(points, latest, strict=False)]

    for parked in await live.settled(distribution_id):
        if parked["state"] != "published":
            assert parked["reason"] == "crash_loop"
            await _look_and_send_again(live, caption, parked)

    await live.proven(caption, distribution_id)
    missed = [file for file in armed if file.exists()]
    assert len(missed) < len(points)
    for file in missed:
        file.unlink()
    return [file.name for file in missed]


async def _look_and_send_again(live, caption, publication):
    """What a person does with a parked publication: looks at the account, and retries what is not there."""
    account = await live.call("GET", f"/v1/accounts/{publication['account_id']}")
    is_live = (await live.live_counts(caption))[account["instagram_user_id"]] > 0
    if publication["state"] == "outcome_unknown":
        outcome = "published" if is_live else "failed"
        await live.call("POST", f"/v1/publications/{publication['id']}/resolve", json={"outcome": outcome})
    if not is_live:
        await live.call("POST", f"/v1/publications/{publication['id']}/retry")
