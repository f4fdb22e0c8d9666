"""What the publisher counts: how publications end, and the claims it has and loses."""

import pytest
from prometheus_client import REGISTRY

from services.publisher import late_probe, publish
from services.publisher.end_parked import end_parked
from services.publisher.late_probe import probe_late_once
from services.publisher.progress import mark_created
from services.publisher.result import write_result
from services.publisher.results import Deferred, Failed, Held, Published, Unknown
from shared.jobs import Dead, JobType, PublishPublication, new_job

ENDINGS = ("published", "refused", "failed", "missed", "unknown")
LIVE = Published(media_id="1", permalink=None)


def sample(name, **labels):
    return REGISTRY.get_sample_value(f"instadistro_{name}", labels) or 0


def ended():
    return {ending: sample("publications_ended_total", outcome=ending) for ending in ENDINGS}


def since(before):
    """The endings that were counted meanwhile."""
    return {ending: count - before[ending] for ending, count in ended().items() if count != before[ending]}


@pytest.mark.parametrize(
    ("result", "counted"),
    [
        (LIVE, {"published": 1}),
        (Failed(reason="content_rejected", fault={}), {"refused": 1}),
        (Failed(reason="exhausted", fault={}), {"failed": 1}),
        (Unknown(fault={}), {"unknown": 1}),
        (Deferred(reason="throttled", delay_s=10), {}),
        (Held(reason="account_restricted", account_state=None, fault={}), {}),
    ],
    ids=["published", "refused", "failed", "unknown", "deferred", "held"],
)
async def test_a_result_that_ends_a_publication_is_counted(result, counted, stage):
    """Once, and by whose doing it was; what comes again or waits for somebody has not ended."""
    publication, before = await stage.claimed(), ended()

    await write_result(stage.work, publication, result)

    assert since(before) == counted


async def test_what_a_person_canceled_meanwhile_did_not_end_by_itself(stage):
    """The worker only obeys."""
    publication, before = await stage.claimed(), ended()
    await stage.pool.execute("UPDATE publications SET halt = 'cancel'")

    await write_result(stage.work, publication, Deferred(reason="halted", delay_s=0))

    assert (await stage.row())["state"] == "canceled"
    assert since(before) == {}


async def test_what_is_found_later_is_counted_as_what_it_is(stage, monkeypatch):
    """It had ended as unknown, and is known now."""
    await write_result(stage.work, await stage.claimed(), Unknown(fault={}))
    await stage.pool.execute("UPDATE publications SET rescue_at = now()")
    before = ended()

    async def found(_work, _publication, _content):
        return LIVE

    monkeypatch.setattr(late_probe, "look_up", found)

    await probe_late_once(stage.work)

    assert since(before) == {"published": 1}


async def test_a_parked_job_ends_its_publication_as_failed(stage):
    """Two workers died of it: that is ours to mend."""
    before = ended()
    payload = PublishPublication(publication_id=stage.publication_id, revision=1)
    job = new_job(JobType.POST_PUBLISH, payload, subject=str(stage.publication_id))

    await end_parked(stage.work, job, payload, Dead(reason="crash_loop", error="it died"))

    assert since(before) == {"failed": 1}


async def test_a_claim_that_is_worked_on_is_held(stage):
    """Until the work ends."""
    publication, before = await stage.claimed(), sample("leases_held")

    with stage.work.leases.hold(publication):
        held = sample("leases_held")

    assert (held - before, sample("leases_held") - before) == (1, 0)


@pytest.mark.parametrize("when", ["at a mark", "at its result"])
async def test_a_claim_that_another_took_over_is_counted_once(when, stage, monkeypatch):
    """The worker was away for longer than its lease; whatever it wanted to write is refused."""
    before = ended(), sample("leases_lost_total")

    async def overtaken(work, publication, _content):
        await stage.pool.execute("UPDATE publications SET epoch = epoch + 1")
        if when == "at a mark":
            await mark_created(work, publication, "container")
        return LIVE

    monkeypatch.setattr(publish, "walk_steps", overtaken)

    await stage.run()

    assert sample("leases_lost_total") == before[1] + 1
    assert since(before[0]) == {}
