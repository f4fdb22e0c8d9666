from __future__ import annotations

import time

import pytest

FEED = "reach,views,shares,total_interactions,reposts,likes,comments,saved,follows,profile_visits,profile_activity"
REELS = "reach,views,likes,saved,ig_reels_avg_watch_time,ig_reels_video_view_total_time,reels_skip_rate"
STORY = "reach,views,shares,follows,profile_activity,replies,navigation,link_clicks"


@pytest.fixture
async def told(start):
    """An emulator whose posts have figures at once."""
    return await start(insights_after_s=0.0)


async def _posted(emulated, account, **params: str) -> str:
    container_id = await emulated.finished(account, **params)
    return str((await emulated.publish(account, container_id)).body["id"])


async def _insights(emulated, account, node: str, metric: str, **params: str):
    return await emulated.graph(account, "GET", f"/{node}/insights", metric=metric, **params)


async def test_figures_of_a_post(told, images):
    """Every metric of a format is told under its name, the same at each reading; the node's counts agree."""
    account = await told.new_account()
    media_id = await told.post(account, f"{images.origin}/good.jpg")

    first, second = [(await _insights(told, account, media_id, FEED)).body["data"] for _ in range(2)]

    assert [item["name"] for item in first] == FEED.split(",")
    assert first == second
    values = {item["name"]: item["values"][0]["value"] for item in first}
    assert all(isinstance(value, int) for value in values.values())
    assert {item["period"] for item in first} == {"lifetime"}
    node = (await told.graph(account, "GET", f"/{media_id}", fields="like_count,comments_count")).body
    assert (node["like_count"], node["comments_count"]) == (values["likes"], values["comments"])


async def test_metrics_by_format(told, images):
    """Reels and stories have metrics of their own; one that a format has not, or that is gone, fails the whole call."""
    account = await told.new_account()
    post = await told.post(account, f"{images.origin}/good.jpg")
    video, picture = f"{images.origin}/reel.mp4", f"{images.origin}/good.jpg"
    reel = await _posted(told, account, media_type="REELS", video_url=video)
    story = await _posted(told, account, media_type="STORIES", image_url=picture)

    for node, metrics in ((reel, REELS), (story, STORY)):
        data = (await _insights(told, account, node, metrics)).body["data"]
        assert [item["name"] for item in data] == metrics.split(",")
    for node, metrics in (
        (post, "reach,ig_reels_avg_watch_time"),
        (reel, "follows"),
        (story, "likes"),
        (post, "impressions"),
        (reel, "plays"),
        (post, "facebook_views"),
        (post, ""),
    ):
        assert (await _insights(told, account, node, metrics)).error == (100, None)


async def test_breakdowns(told, images):
    """A metric that has parts is told by part where asked; others refuse."""
    account = await told.new_account()
    post = await told.post(account, f"{images.origin}/good.jpg")

    [item] = (await _insights(told, account, post, "profile_activity", breakdown="action_type")).body["data"]

    [breakdown] = item["total_value"]["breakdowns"]
    assert breakdown["dimension_keys"] == ["action_type"]
    assert item["total_value"]["value"] == sum(result["value"] for result in breakdown["results"])
    assert (await _insights(told, account, post, "reach", breakdown="action_type")).error == (100, None)


async def test_young_post_has_no_figures(emulated, account, clock, images):
    """Before the delay the data are empty, not zero."""
    media_id = await emulated.post(account, f"{images.origin}/good.jpg")

    assert (await _insights(emulated, account, media_id, "reach")).body == {"data": []}
    clock.advance(3600)
    assert len((await _insights(emulated, account, media_id, "reach")).body["data"]) == 1


async def test_story_with_few_viewers(start, clock, images):
    """A story has figures for a day, and none at all, but an error of code 10, under five viewers."""
    emulated = await start(insights_after_s=0.0, story_viewers=4)
    account = await emulated.new_account()
    story = {"media_type": "STORIES", "image_url": f"{images.origin}/good.jpg"}
    media_id = await _posted(emulated, account, **story)
    assert (await _insights(emulated, account, media_id, "reach")).error == (10, None)

    emulated = await start(insights_after_s=0.0, story_viewers=5)
    account = await emulated.new_account()
    media_id = await _posted(emulated, account, **story)
    assert len((await _insights(emulated, account, media_id, "reach")).body["data"]) == 1
    clock.advance(24 * 3600)
    assert (await _insights(emulated, account, media_id, "reach")).body == {"data": []}


async def test_items_of_a_carousel_have_no_figures(told, images):
    """Insights are of the carousel, not of its items."""
    account = await told.new_account()
    picture = {"is_carousel_item": "true", "image_url": f"{images.origin}/good.jpg"}
    children = ",".join([await told.finished(account, **picture) for _ in range(2)])
    media_id = await _posted(told, account, media_type="CAROUSEL", children=children)
    items = (await told.graph(account, "GET", f"/{media_id}/children")).body["data"]

    assert len((await _insights(told, account, media_id, "reach")).body["data"]) == 1
    assert (await _insights(told, account, items[0]["id"], "reach")).error == (100, None)


async def test_figures_of_an_account(emulated, account):
    """An account's figures are totals, reach also a series by day; demographics are by group of people."""
    node = account["ig_user_id"]
    week = {"since": str(int(time.time()) - 7 * 86_400), "until": str(int(time.time()))}
    names = "reach,views,accounts_engaged,follows_and_unfollows"

    total = await _insights(emulated, account, node, names, period="day", metric_type="total_value")
    series = await _insights(emulated, account, node, "reach", period="day", metric_type="time_series", **week)
    people = await _insights(
        emulated, account, "me", "follower_demographics", period="lifetime", timeframe="this_week", breakdown="country"
    )

    assert [item["name"] for item in total.body["data"]] == names.split(",")
    assert all(isinstance(item["total_value"]["value"], int) for item in total.body["data"])
    assert len(series.body["data"][0]["values"]) == 7
    assert people.body["data"][0]["total_value"]["breakdowns"][0]["dimension_keys"] == ["country"]


@pytest.mark.parametrize(
    "params",
    [
        {"metric": "views", "period": "day"},
        {"metric": "views", "period": "day", "metric_type": "time_series"},
        {"metric": "reach", "period": "week"},
        {"metric": "reach"},
        {"metric": "impressions", "period": "day"},
        {"metric": "profile_views", "period": "day", "metric_type": "total_value"},
        {"metric": "reach", "period": "day", "since": "yesterday"},
        {"metric": "reach", "period": "day", "since": "1500000000"},
        {"metric": "follower_demographics", "period": "lifetime", "timeframe": "this_week"},
        {"period": "day"},
    ],
)
async def test_figures_of_an_account_that_do_not_exist(emulated, account, params):
    """A metric that is gone, or asked for in a way it does not have, is 100."""
    answer = await emulated.graph(account, "GET", f"/{account['ig_user_id']}/insights", **params)

    assert answer.error == (100, None)
