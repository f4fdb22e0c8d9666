"""What must never be is found: each breach is made by hand, in a database that has none."""

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.scheduler.observe_invariants import InvariantObserver
from services.scheduler.rescue_publications import rescue_once
from shared.database import create_pool
from tests.seeds import seed_publications, seed_tenant

LEASE_OVER = "state = 'publishing', lease_owner = 'w1', lease_until = now() - interval '5 minutes'"
DUE = "next_attempt_at = now() - interval '1 hour'"
SENT = "step = 'publish_sent', container_id = 'c', publish_sends = 1"
LOST = {
    "the rescue does not come to it": f"{DUE}, rescue_at = now() - interval '1 hour'",
    "its rescue never comes": f"{DUE}, rescue_at = 'infinity'",
    "nobody takes it over": f"{LEASE_OVER}, rescue_at = now() - interval '2 minutes'",
    "nobody will take it over": f"{LEASE_OVER}, rescue_at = 'infinity'",
    "nobody says that it is too late": "publish_at = now() - interval '1 hour', max_lateness_s = 60",
    "nobody says that it was held too long": "state = 'held', max_lateness_s = 60, publish_at = now() - interval '1 h'",
    "nobody gives it up": f"state = 'held', {SENT}, publish_at = now() - interval '25 hours',"
    " publish_sent_at = now() - interval '25 hours'",
    "its account holds it, and may publish": "state = 'held', reason = 'account_paused'",
}
NOT_LOST = {
    "it waits for its time": "publish_at = now() + interval '1 day'",
    "it is due, and the rescue is at it": f"{DUE}, rescue_at = now() + interval '14 minutes'",
    "its worker died just now": f"{LEASE_OVER}, rescue_at = now() + interval '1 minute'",
    "it is held for its health": "state = 'held', reason = 'health_critical'",
    "a person must say what became of it": "state = 'outcome_unknown', rescue_at = 'infinity'",
    "it has ended": "state = 'missed', rescue_at = now() - interval '1 day'",
}


class Clock:
    """Time that the test lets pass."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


@pytest.fixture
async def publication(pool):
    """One that is due in an hour."""
    [publication_id] = await seed_publications(pool, await seed_tenant(pool), due_in_s=3600)
    return publication_id


@pytest.fixture
def observer(pool):
    return InvariantObserver(pool=pool, rescue_after_s=60, clock=Clock())


def breaches():
    return {
        invariant: REGISTRY.get_sample_value("instadistro_invariant_breaches", {"invariant": invariant})
        for invariant in ("lost", "twice", "early")
    }


async def put(pool, what):
    await pool.execute(f"UPDATE publications SET {what}")  # noqa: S608 - a test's own


async def watch(observer, *, minutes=11):
    """Look once a minute."""
    for _ in range(minutes):
        await observer.observe_once()
        observer.clock.now += 60


@pytest.mark.parametrize("what", LOST.values(), ids=LOST.keys())
async def test_what_nothing_moves_any_more_is_lost(what, pool, publication, observer):
    """It counts once it was watched for ten minutes, not before, and its id is logged."""
    await put(pool, what)

    await watch(observer, minutes=10)
    early = breaches()
    with capture_logs() as logs:
        await watch(observer, minutes=1)

    assert early == {"lost": 0, "twice": 0, "early": 0}
    assert breaches() == {"lost": 1, "twice": 0, "early": 0}
    assert [line["publication_ids"] for line in logs if line["event"] == "publications.breach"] == [[str(publication)]]


@pytest.mark.parametrize("what", NOT_LOST.values(), ids=NOT_LOST.keys())
@pytest.mark.usefixtures("publication")
async def test_what_somebody_will_move_is_not_lost(what, pool, observer):
    """However long it waits."""
    await put(pool, what)

    await watch(observer, minutes=15)

    assert breaches() == {"lost": 0, "twice": 0, "early": 0}


@pytest.mark.usefixtures("publication")
async def test_recovery_after_an_outage_is_no_breach(pool, observer):
    """What waited while the servers were away is touched in the meantime."""
    await put(pool, LOST["the rescue does not come to it"])

    await watch(observer, minutes=9)
    await rescue_once(pool, rescue_after_s=60)
    await watch(observer, minutes=5)

    assert breaches()["lost"] == 0


@pytest.mark.usefixtures("publication")
async def test_looks_that_are_far_apart_prove_nothing(pool, observer):
    """While the database was away nobody could see what was done."""
    await put(pool, LOST["its rescue never comes"])

    await watch(observer, minutes=5)
    observer.clock.now += 3600
    await observer.observe_once()

    assert breaches()["lost"] == 0


async def test_what_was_live_and_is_tried_again_is_live_twice(pool, publication, observer):
    """A try that published is the last one; another after it is a breach, whether it is under way or over."""
    await put(
        pool, "state = 'published', published_at = now(), updated_at = now(), publish_at = now() - interval '1 s'"
    )
    await add_attempts(pool, publication, ["unverified", "published"])
    await observer.observe_once()
    one = breaches()

    await add_attempts(pool, publication, ["published"], first=3)
    await observer.observe_once()
    over = breaches()
    await put(pool, "state = 'publishing', lease_owner = 'w1', lease_until = now() + interval '20 seconds'")
    await observer.observe_once()

    assert (one["twice"], over["twice"], breaches()["twice"]) == (0, 1, 1)


async def add_attempts(pool, publication_id, outcomes, *, first=1):
    for epoch, outcome in enumerate(outcomes, first):
        await pool.execute(
            """
            INSERT INTO publication_attempts (publication_id, epoch, user_id, attempt, worker, outcome)
            SELECT id, $2, user_id, $2, 'w1', $3 FROM publications WHERE id = $1
            """,
            publication_id,
            epoch,
            outcome,
        )


@pytest.mark.parametrize(("before_s", "early"), [(5, 1), (0.5, 0), (-5, 0)])
@pytest.mark.usefixtures("publication")
async def test_what_is_live_before_its_time_is_early(before_s, early, pool, observer):
    """By more than a clock may be set back."""
    await put(
        pool,
        "state = 'published', published_at = now(), updated_at = now(),"
        f" publish_at = now() + {before_s} * interval '1 second'",
    )

    await observer.observe_once()

    assert breaches() == {"lost": 0, "twice": 0, "early": early}
