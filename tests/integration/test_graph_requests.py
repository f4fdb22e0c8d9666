"""Golden requests: what each call of the client sends, to the letter, as a server receives it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.instagram import (
    CarouselContainer,
    CarouselItem,
    ContainerCode,
    ImageContainer,
    Media,
    MediaProduct,
    PublishingLimit,
    ReelContainer,
    StoryContainer,
    UserTag,
)
from tests.platforms import ACCOUNT, CONTAINER, TOKEN, platform, says

PICTURE, VIDEO, COVER = "https://m.test/a.jpg?x=1&y=2", "https://m.test/a.mp4?x=1&y=2", "https://m.test/c.jpg"
CAPTION = "Café & crème #één +1 😀\nline"
TAGGED = '[{"username":"ann","x":0.5,"y":0.25}]'
FORMS = {
    "image, minimal": (ImageContainer(image_url=PICTURE), {"image_url": PICTURE}),
    "image, full": (
        ImageContainer(
            image_url=PICTURE,
            caption=CAPTION,
            alt_text="a cup",
            user_tags=(UserTag(username="ann", x=0.5, y=0.25),),
            location_id="7640348500",
            collaborators=("@bob", "eve"),
            is_ai_generated=True,
        ),
        {
            "image_url": PICTURE,
            "caption": CAPTION,
            "alt_text": "a cup",
            "user_tags": TAGGED,
            "location_id": "7640348500",
            "collaborators": '["bob","eve"]',
            "is_ai_generated": "true",
        },
    ),
    "reel, minimal": (ReelContainer(video_url=VIDEO), {"media_type": "REELS", "video_url": VIDEO}),
    "reel, full": (
        ReelContainer(
            video_url=VIDEO,
            caption=CAPTION,
            share_to_feed=False,
            cover_url=COVER,
            thumb_offset_ms=1500,
            audio_name="Rain",
            user_tags=(UserTag(username="ann"),),
            location_id="7640348500",
            collaborators=("bob",),
            trial="MANUAL",
            is_ai_generated=True,
        ),
        {
            "media_type": "REELS",
            "video_url": VIDEO,
            "caption": CAPTION,
            "share_to_feed": "false",
            "cover_url": COVER,
            "thumb_offset": "1500",
            "audio_name": "Rain",
            "user_tags": '[{"username":"ann"}]',
            "location_id": "7640348500",
            "collaborators": '["bob"]',
            "trial_params": '{"graduation_strategy":"MANUAL"}',
            "is_ai_generated": "true",
        },
    ),
    "story, image": (StoryContainer(image_url=PICTURE), {"media_type": "STORIES", "image_url": PICTURE}),
    "story, video": (
        StoryContainer(video_url=VIDEO, user_tags=(UserTag(username="ann", x=0.5, y=0.25),)),
        {"media_type": "STORIES", "video_url": VIDEO, "user_tags": TAGGED},
    ),
    "carousel item, image": (
        CarouselItem(image_url=PICTURE, alt_text="a cup", user_tags=(UserTag(username="ann", x=0.5, y=0.25),)),
        {"is_carousel_item": "true", "image_url": PICTURE, "alt_text": "a cup", "user_tags": TAGGED},
    ),
    "carousel item, video": (
        CarouselItem(video_url=VIDEO),
        {"is_carousel_item": "true", "media_type": "VIDEO", "video_url": VIDEO},
    ),
    "carousel, minimal": (
        CarouselContainer(children=("11", "12")),
        {"media_type": "CAROUSEL", "children": "11,12"},
    ),
    "carousel, full": (
        CarouselContainer(
            children=("11", "12"),
            caption=CAPTION,
            location_id="7640348500",
            collaborators=("bob",),
            is_ai_generated=True,
        ),
        {
            "media_type": "CAROUSEL",
            "children": "11,12",
            "caption": CAPTION,
            "location_id": "7640348500",
            "collaborators": '["bob"]',
            "is_ai_generated": "true",
        },
    ),
}
FIELDS = "id,caption,timestamp,permalink,media_type,media_product_type"


@pytest.mark.parametrize(("spec", "form"), FORMS.values(), ids=FORMS)
async def test_a_container_of_every_format(spec, form):
    """Exactly the parameters of its format are in the body, the token in a header, nothing else in the URL."""
    async with platform(says({"id": 17900000000000007})) as (client, served):
        assert await client.create_container(ACCOUNT, spec) == CONTAINER

    (request,) = served.seen
    assert (request.method, request.target) == ("POST", "/v25.0/17841400000000001/media")
    assert request.form == form
    assert request.authorization == f"Bearer {TOKEN}"


async def test_a_container_is_published():
    """The container's id goes in, the media's id comes out."""
    async with platform(says({"id": "18000000000000009"})) as (client, served):
        assert await client.publish_container(ACCOUNT, CONTAINER) == "18000000000000009"

    (request,) = served.seen
    assert (request.method, request.target) == ("POST", "/v25.0/17841400000000001/media_publish")
    assert request.form == {"creation_id": CONTAINER}
    assert request.authorization == f"Bearer {TOKEN}"


async def test_reads_carry_fields_and_no_secret_in_their_url():
    """Every read asks for what it needs by query, the token stays in the header."""
    body = {"id": "1", "status_code": "FINISHED", "quota_usage": 2, "user_id": "17841400000000001", "username": "shop"}
    media = Media(id="1", caption=None, timestamp=None, permalink=None)
    async with platform(says({"data": [body]}), version="") as (client, served):
        assert (await client.container_status(ACCOUNT, CONTAINER)).code is ContainerCode.FINISHED
        assert (await client.publishing_limit(ACCOUNT)) == PublishingLimit(used=2, total=None, duration_s=None)
        assert (await client.profile(ACCOUNT)).ig_user_id == ACCOUNT.ig_user_id
        assert (await client.media(ACCOUNT, "1")) == media
        assert (await client.recent_media(ACCOUNT, limit=25)) == [media]
        assert (await client.recent_stories(ACCOUNT, limit=10)) == [media]

    assert [request.target for request in served.seen] == [
        f"/{CONTAINER}?fields=status_code,status",
        "/17841400000000001/content_publishing_limit?fields=quota_usage,config",
        "/me?fields=user_id,username,name,account_type,followers_count,media_count",
        f"/1?fields={FIELDS}",
        f"/17841400000000001/media?fields={FIELDS}&limit=25",
        f"/17841400000000001/stories?fields={FIELDS}&limit=10",
    ]
    assert {request.authorization for request in served.seen} == {f"Bearer {TOKEN}"}


OF_ALL = "reach,views,shares,total_interactions,reposts"
WATCHED = "ig_reels_avg_watch_time,ig_reels_video_view_total_time,reels_skip_rate"
VISITED = "follows,profile_visits,profile_activity"
METRICS = {
    MediaProduct.FEED: f"{OF_ALL},likes,comments,saved,{VISITED}",
    MediaProduct.REELS: f"{OF_ALL},likes,comments,saved,{WATCHED}",
    MediaProduct.STORY: f"{OF_ALL},{VISITED},replies,navigation,link_clicks",
}


@pytest.mark.parametrize(("product", "metrics"), METRICS.items())
async def test_insights_of_a_medium(product, metrics):
    """A medium is asked for the metrics of its product and for no other, since one more would fail them all."""
    async with platform(says({"data": []})) as (client, served):
        insights = await client.media_insights(ACCOUNT, "18", product=product)

    (request,) = served.seen
    assert (request.method, request.target) == ("GET", f"/v25.0/18/insights?metric={metrics}")
    assert request.authorization == f"Bearer {TOKEN}"
    assert insights == dict.fromkeys(metrics.split(","))


async def test_insights_of_an_account():
    """The account's totals are asked for with the span in seconds since 1970."""
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    async with platform(says({"data": [{"name": "reach", "total_value": {"value": 7}}]})) as (client, served):
        insights = await client.account_insights(ACCOUNT, since=since, until=until)

    (request,) = served.seen
    assert request.target == (
        "/v25.0/17841400000000001/insights?metric=reach,views,accounts_engaged,total_interactions,likes,comments,"
        "saves,shares,replies,reposts,profile_links_taps&period=day&metric_type=total_value"
        "&since=1767225600&until=1767312000"
    )
    assert request.authorization == f"Bearer {TOKEN}"
    assert (insights["reach"], insights["views"]) == (7, None)


async def test_a_token_is_refreshed():
    """The refresh is unversioned, and its token is a parameter as documented, not a header."""
    answer = {"access_token": "IGAA-the-next-one", "token_type": "bearer", "expires_in": 5183944}
    async with platform(says(answer)) as (client, served):
        grant = await client.refresh_token(ACCOUNT)

    (request,) = served.seen
    assert (request.method, request.authorization) == ("GET", None)
    assert request.target == f"/refresh_access_token?grant_type=ig_refresh_token&access_token={TOKEN}"
    assert (grant.access_token, grant.expires_in_s, grant.scopes) == ("IGAA-the-next-one", 5183944, None)
