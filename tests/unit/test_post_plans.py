"""What the platform is asked to make of a post: for each format exactly the parameters that it takes."""

import pytest

from services.publisher.formats import CarouselPlan, Medium, plan_post
from shared.publications import PersonTag, PostOptions, PostType

PICTURE = Medium(kind="image", url="https://pictures.example/1.jpg")
OTHER = Medium(kind="image", url="https://pictures.example/2.jpg")
VIDEO = Medium(kind="video", url="https://pictures.example/3.mp4")
ALL = PostOptions(
    alt_texts=["A hill.", "A lake."],
    user_tags=[[PersonTag(username="@ada", x=0.5, y=0.25)], [PersonTag(username="bob", x=0.0, y=1.0)]],
    location_id="7",
    collaborators=["@carol"],
    is_ai_generated=True,
)
ADA, BOB = '[{"username":"ada","x":0.5,"y":0.25}]', '[{"username":"bob","x":0.0,"y":1.0}]'
SHARED = {"caption": "Words.", "location_id": "7", "collaborators": '["carol"]', "is_ai_generated": "true"}


def plan(post_type, *media, cover=None, options=ALL):
    return plan_post(post_type, caption="Words.", media=media, cover=cover, options=options)


def test_a_picture_says_all_that_the_post_says():
    """Alternative text, people, place, partners and the mark of what a machine made."""
    form = plan(PostType.IMAGE, PICTURE).form()

    assert form == SHARED | {"image_url": PICTURE.url, "alt_text": "A hill.", "user_tags": ADA}


def test_a_post_that_says_nothing_beside_sends_nothing_beside():
    """What was not said is left out, not sent empty."""
    form = plan(PostType.IMAGE, PICTURE, options=PostOptions()).form()

    assert form == {"image_url": PICTURE.url, "caption": "Words."}


def test_a_reel_has_its_own_options_and_people_without_places():
    """A video takes no alternative text, and nobody stands anywhere in it."""
    options = PostOptions(
        alt_texts=["Never sent."],
        user_tags=ALL.user_tags[:1],
        share_to_feed=False,
        thumb_offset_ms=1_500,
        audio_name="A song",
        trial="MANUAL",
    )

    form = plan(PostType.REEL, VIDEO, cover=OTHER, options=options).form()

    assert form == {
        "media_type": "REELS",
        "video_url": VIDEO.url,
        "caption": "Words.",
        "share_to_feed": "false",
        "cover_url": OTHER.url,
        "thumb_offset": "1500",
        "audio_name": "A song",
        "user_tags": '[{"username":"ada"}]',
        "trial_params": '{"graduation_strategy":"MANUAL"}',
    }


@pytest.mark.parametrize(
    ("medium", "said"),
    [
        (PICTURE, {"image_url": PICTURE.url, "user_tags": ADA}),
        (VIDEO, {"video_url": VIDEO.url, "user_tags": '[{"username":"ada"}]'}),
    ],
)
def test_a_story_has_no_words(medium, said):
    """Of everything that a post can say, a story takes the people."""
    form = plan(PostType.STORY, medium).form()

    assert form == {"media_type": "STORIES"} | said


def test_a_carousel_says_of_its_items_what_is_theirs_and_the_rest_itself():
    """Items keep the post's order; caption, place and partners belong to the carousel."""
    planned = plan(PostType.CAROUSEL, PICTURE, OTHER, VIDEO)

    assert isinstance(planned, CarouselPlan)
    assert [item.form() for item in planned.items] == [
        {"is_carousel_item": "true", "image_url": PICTURE.url, "alt_text": "A hill.", "user_tags": ADA},
        {"is_carousel_item": "true", "image_url": OTHER.url, "alt_text": "A lake.", "user_tags": BOB},
        {"is_carousel_item": "true", "media_type": "VIDEO", "video_url": VIDEO.url},
    ]
    assert planned.parent(("1", "2", "3")).form() == SHARED | {"media_type": "CAROUSEL", "children": "1,2,3"}
