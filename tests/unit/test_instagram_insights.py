from __future__ import annotations

import pytest

from shared.instagram import GraphError, MediaProduct
from shared.instagram.insights import MEDIA_METRICS, read_insights
from shared.instagram.results import UnusableAnswerError
from tests.platforms import ACCOUNT, platform, refuses


def test_both_shapes_of_a_number_are_read():
    """Media come with values, accounts with a total; whole and broken numbers stay what they are."""
    body = {
        "data": [
            {"name": "reach", "period": "lifetime", "values": [{"value": 7}]},
            {"name": "views", "total_value": {"value": 0}},
            {"name": "reels_skip_rate", "values": [{"value": 0.5}]},
            {"name": "not_asked", "values": [{"value": 1}]},
        ]
    }

    assert read_insights(body, ("reach", "views", "reels_skip_rate")) == {
        "reach": 7,
        "views": 0,
        "reels_skip_rate": 0.5,
    }


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"name": "reach"},
        {"name": "reach", "values": []},
        {"name": "reach", "values": [{}]},
        {"name": "reach", "values": [3]},
        {"name": "reach", "values": [{"value": None}]},
        {"name": "reach", "values": [{"value": {"follower": 2}}]},
        {"name": "reach", "total_value": {}},
        {"name": "reach", "total_value": {"value": True}},
        {"name": "reach", "total_value": {"value": float("nan")}},
        {"name": "reach", "total_value": {"value": float("inf")}},
        {"name": "reach", "total_value": {"value": 10**400}},
        {"name": ["reach"], "values": [{"value": 1}]},
        "reach",
    ],
)
def test_a_missing_number_is_none(item):
    """Absence is never read as 0."""
    assert read_insights({"data": [item]}, ("reach",)) == {"reach": None}
    assert read_insights({"data": []}, ("reach",)) == {"reach": None}


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {"name": "reach"}}])
def test_an_answer_without_a_list_is_unusable(body):
    """No list at all is no answer to the question."""
    with pytest.raises(UnusableAnswerError):
        read_insights(body, ("reach",))


async def test_a_story_that_few_saw_has_no_numbers():
    """Its refusal is no lost permission, while the same code on other media is one."""
    async with platform(refuses(400, code=10)) as (client, _):
        story = await client.media_insights(ACCOUNT, "18", product=MediaProduct.STORY)
        with pytest.raises(GraphError, match="permission"):
            await client.media_insights(ACCOUNT, "18", product=MediaProduct.FEED)

    assert story == dict.fromkeys(MEDIA_METRICS[MediaProduct.STORY])
