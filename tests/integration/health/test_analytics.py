"""Collecting numbers, on real servers, with the platform's stand-in."""

import asyncio

import pytest

from deploy.emulator import Options
from services.health.due_numbers import POST_AGES_S
from shared.instagram import ACCOUNT_METRICS, MEDIA_METRICS, MediaProduct
from tests.desks import collecting

HOUR_S, DAY_S = 3_600, 86_400
SOURCES = ("profile", "account_insights", "media_insights")


@pytest.fixture
def options():
    """How the platform's stand-in behaves."""
    return Options(processing_s=0.0, insights_after_s=0.0)


@pytest.fixture
async def desk(database_url, redis_url, options):
    async with collecting(database_url, redis_url, options) as desk:
        yield desk


async def test_all_that_is_due_is_taken_once(desk):
    """Profile, final days and publications, each with its window; a second run asks for nothing."""
    publication_id = await desk.published(age_s=DAY_S + 60)

    await desk.collect()
    first, asked = await desk.snapshots(), await desk.calls()
    await desk.collect()

    assert await desk.calls() == asked == (1, 3, 1)
    assert await desk.snapshots() == first
    assert sorted(taken["source"] for taken in first) == sorted((*SOURCES, *["account_insights"] * 2))
    [profile] = await desk.snapshots("profile")
    assert set(profile["metrics"]) == {"followers_count", "media_count"}
    assert profile["metrics"]["media_count"] == 1
    days = await desk.snapshots("account_insights")
    assert [(day["window_to"] - day["window_from"]).total_seconds() for day in days] == [DAY_S] * 3
    assert all(day["window_to"].hour == 0 and set(day["metrics"]) == set(ACCOUNT_METRICS) for day in days)
    assert (days[-1]["captured_at"] - days[-1]["window_to"]).total_seconds() >= 2 * DAY_S
    [medium] = await desk.snapshots("media_insights")
    assert (medium["publication_id"], medium["due_age_s"]) == (publication_id, DAY_S)
    assert set(medium["metrics"]) == set(MEDIA_METRICS[MediaProduct.FEED])
    assert all(isinstance(number, int) for number in medium["metrics"].values())


async def test_two_deliveries_at_once_double_nothing(desk):
    """Whoever comes second to write finds the number there."""
    await desk.published(age_s=DAY_S + 60)

    await asyncio.gather(desk.collect(), desk.collect())

    assert len(await desk.snapshots()) == 5


async def test_a_publication_is_asked_for_at_each_age(desk):
    """Each age once, to the last; the next one is when the account's numbers are collected next."""
    await desk.published(age_s=0)
    await desk.collect()
    assert await desk.snapshots("media_insights") == []

    for age_s in (*POST_AGES_S, POST_AGES_S[-1] + DAY_S):
        await desk.pool.execute(
            "UPDATE publications SET published_at = now() - $1::float8 * interval '1 second'", age_s + 60
        )
        for _ in range(2):
            await desk.collect()

    taken = await desk.snapshots("media_insights")
    assert sorted(snapshot["due_age_s"] for snapshot in taken) == list(POST_AGES_S)
    assert (await desk.calls())[2] == len(POST_AGES_S)


async def test_the_next_age_is_not_slept_through(desk):
    """The account is due when its publication is, if that comes before its own time of tomorrow."""
    await desk.published(age_s=DAY_S - 60)

    await desk.collect()

    assert 0 < await desk.due_in_s() <= 60


async def test_stories_are_asked_for_while_they_live(desk):
    """Within their day, with the metrics of stories; after it there is nothing to ask for."""
    await desk.published(age_s=20 * HOUR_S + 60, kind="story")
    await desk.published(age_s=24 * HOUR_S + 60, kind="story")

    await desk.collect()

    [story] = await desk.snapshots("media_insights")
    assert set(story["metrics"]) == set(MEDIA_METRICS[MediaProduct.STORY])


@pytest.mark.parametrize("options", [Options(processing_s=0.0, insights_after_s=0.0, story_viewers=4)])
async def test_a_story_that_few_saw_is_no_lost_permission(desk):
    """It has no numbers, and the run goes on."""
    await desk.published(age_s=6 * HOUR_S + 60, kind="story")

    await desk.collect()

    [story] = await desk.snapshots("media_insights")
    assert set(story["metrics"].values()) == {None}
    assert len(await desk.snapshots("account_insights")) == 3


@pytest.mark.parametrize("options", [Options(processing_s=0.0, insights_after_s=172_800.0)])
async def test_numbers_that_are_not_there_are_null(desk):
    """The platform's empty answer is never read as 0."""
    await desk.published(age_s=DAY_S + 60)

    await desk.collect()

    [medium] = await desk.snapshots("media_insights")
    assert medium["metrics"] == dict.fromkeys(MEDIA_METRICS[MediaProduct.FEED])


async def test_a_deleted_medium_does_not_stop_the_others(desk):
    """It has no number at this age, and is not asked for again before the next."""
    gone = await desk.published(age_s=DAY_S + 60, media_id="17999999999999999")
    await desk.published(age_s=DAY_S + 60)

    for _ in range(2):
        await desk.collect()

    taken = {snapshot["publication_id"]: snapshot["metrics"] for snapshot in await desk.snapshots("media_insights")}
    assert (len(taken), set(taken[gone].values())) == (2, {None})
    assert await desk.calls() == (1, 3 + 1, 1)  # an id that nobody has is no medium to the stand-in


async def test_without_the_scope_only_the_profile_is_read(desk):
    """What the owner did not grant is not asked for."""
    await desk.pool.execute("UPDATE account_tokens SET scopes = '{instagram_business_basic}'")
    await desk.published(age_s=DAY_S + 60)

    await desk.collect()

    assert await desk.calls() == (1, 0, 0)
    assert [snapshot["source"] for snapshot in await desk.snapshots()] == ["profile"]


async def test_a_missing_permission_is_asked_about_once_for_each_token(desk):
    """Insights rest until another token is stored; the profile is read all the same."""
    await desk.fault("account_insights", kind="error", code=10)

    for _ in range(2):
        await desk.collect()
    rested = await desk.calls()
    await desk.pool.execute("UPDATE account_tokens SET obtained_at = now()")
    await desk.collect()

    assert rested == (1, 1, 0)
    assert len(await desk.snapshots("account_insights")) == 3
    assert await desk.pool.fetchval("SELECT state FROM accounts") == "ACTIVE"


async def test_a_token_that_is_refused_ends_the_run(desk):
    """The account's state is left to its health check."""
    await desk.fault("get_account", kind="error", code=190, subcode=460)

    await desk.collect()

    assert (await desk.calls(), await desk.snapshots()) == ((1, 0, 0), [])
    assert await desk.pool.fetchval("SELECT state FROM accounts") == "ACTIVE"


@pytest.mark.parametrize(
    "fault", [{"kind": "html_502"}, {"kind": "error", "code": 2}, {"kind": "error", "code": 80002}]
)
async def test_a_run_without_an_answer_loses_nothing(desk, fault):
    """What came before stays, and the rest is taken when the run comes back."""
    await desk.published(age_s=DAY_S + 60)
    await desk.pool.execute("UPDATE account_tokens SET scopes = NULL")
    for endpoint in ("media_insights", "account_insights"):
        await desk.fault(endpoint, **fault)

    await desk.collect()

    assert [snapshot["source"] for snapshot in await desk.snapshots()] == ["profile"]
    assert HOUR_S - 60 <= await desk.due_in_s() <= 1.25 * HOUR_S


async def test_a_limit_of_calls_is_respected(desk):
    """Nobody is called while the platform wants to be left alone; the run comes back after the wait."""
    await desk.fault("get_account", kind="error", code=4)
    await desk.collect()
    asked = await desk.calls()

    await desk.collect()

    assert await desk.calls() == asked == (1, 0, 0)
    assert 0 < await desk.due_in_s() < HOUR_S


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET state = 'NEEDS_REAUTH'",
        "UPDATE accounts SET removed_at = now()",
        "UPDATE accounts SET token_expires_at = now()",
    ],
)
async def test_an_account_that_does_not_publish_is_left_alone(desk, change):
    """A message may come after its reason has gone."""
    await desk.pool.execute(change)

    await desk.collect()

    assert (await desk.calls(), await desk.snapshots()) == ((0, 0, 0), [])
