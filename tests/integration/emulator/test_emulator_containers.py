from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image


async def test_image_is_really_fetched_and_measured(emulated, account, images):
    """A container exists because the image was downloaded and decoded, and its measures are those of the file."""
    container = await emulated.create(account, images.serve("a.jpg", images.answers["good.jpg"][0]))
    await emulated.publish(account, container.body["id"])

    assert images.asked == ["a.jpg"]
    [media] = await emulated.control("GET", "media")
    assert (media["width"], media["height"]) == (1080, 1350)
    assert media["bytes"] == len(images.answers["a.jpg"][0])


async def test_container_takes_its_time(start, clock, images):
    """A container is IN_PROGRESS for the processing time, then FINISHED, then PUBLISHED, and says so in words."""
    emulated = await start(processing_s=30.0)
    account = await emulated.new_account()
    container_id = (await emulated.create(account, f"{images.origin}/good.jpg")).body["id"]

    assert await emulated.status_of(account, container_id) == "IN_PROGRESS"
    clock.advance(30)
    assert await emulated.status_of(account, container_id) == "FINISHED"
    await emulated.publish(account, container_id)
    answer = await emulated.graph(account, "GET", f"/{container_id}", fields="status_code,status")
    assert answer.body == {
        "id": container_id,
        "status_code": "PUBLISHED",
        "status": "Published: Media has been already published.",
    }


async def test_container_expires_after_a_day_and_is_forgotten_after_two(emulated, account, clock, images):
    """An unpublished container is EXPIRED after 24 h, cannot be published, and is gone after 48 h."""
    container_id = (await emulated.create(account, f"{images.origin}/good.jpg")).body["id"]

    clock.advance(24 * 3600)
    assert await emulated.status_of(account, container_id) == "EXPIRED"
    assert (await emulated.publish(account, container_id)).error == (-2, 2207020)

    clock.advance(24 * 3600 + 1)
    await emulated.create(account, f"{images.origin}/good.jpg")
    assert (await emulated.graph(account, "GET", f"/{container_id}")).error == (100, 33)


def _multi_picture() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (400, 400), color) for color in ("red", "blue")]
    frames[0].save(buffer, "MPO", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("gone.jpg", (9004, 2207052)),
        ("page.html", (9004, 2207052)),
        ("moved.jpg", (9004, 2207052)),
        ("large.jpg", (36000, 2207004)),
        ("unannounced-large.jpg", (36000, 2207004)),
        ("png.jpg", (36001, 2207005)),
        ("mpo.jpg", (36001, 2207005)),
        ("cut.jpg", (36001, 2207005)),
        ("empty.jpg", (36001, 2207005)),
        ("text.jpg", (36001, 2207005)),
        ("tall.jpg", (36003, 2207009)),
        ("wide.jpg", (36003, 2207009)),
    ],
)
@pytest.mark.parametrize("media_errors", ["at_creation", "in_container"])
async def test_bad_image_is_refused(start, images, image_bytes, media_errors, name, error):
    """Every kind of unusable image has its own code: in the creation's answer, or on the container where so chosen."""
    good, large = images.answers["good.jpg"][0], bytes(8 * 1024 * 1024 + 1)
    images.serve("gone.jpg", b"", status=404)
    images.serve("page.html", good, Content_Type="text/html")
    images.serve("moved.jpg", b"", status=302, Location=f"{images.origin}/good.jpg")
    images.serve("large.jpg", large)
    images.serve("unannounced-large.jpg", large)
    images.serve("png.jpg", image_bytes(400, 400, "PNG"))
    images.serve("mpo.jpg", _multi_picture())
    images.serve("cut.jpg", good[: len(good) // 2])
    images.serve("empty.jpg", b"")
    images.serve("text.jpg", b"not an image")
    images.serve("tall.jpg", image_bytes(799, 1000))
    images.serve("wide.jpg", image_bytes(1911, 1000))
    emulated = await start(media_errors=media_errors)
    account = await emulated.new_account()

    answer = await emulated.create(account, f"{images.origin}/{name}")

    if media_errors == "at_creation":
        assert (answer.status, answer.error) == (400, error)
        return
    container_id = answer.body["id"]
    assert await emulated.settled(account, container_id) == "ERROR"
    shown = (await emulated.graph(account, "GET", f"/{container_id}", fields="status_code,status")).body
    assert f"error code {error[1]}" in shown["status"]
    assert (await emulated.publish(account, container_id)).error == (-1, 2207032)


@pytest.mark.parametrize(("width", "height"), [(800, 1000), (1910, 1000), (320, 320)])
async def test_ratios_at_the_edge_pass(emulated, account, images, image_bytes, width, height):
    """4:5 and 1.91:1 themselves are allowed."""
    url = images.serve("edge.jpg", image_bytes(width, height))

    assert (await emulated.create(account, url)).status == 200


async def test_image_of_exactly_8_mib_passes(emulated, account, images):
    """8 MiB is the largest size that is allowed."""
    good = images.answers["good.jpg"][0]
    url = images.serve("full.jpg", good + bytes(8 * 1024 * 1024 - len(good)))

    assert (await emulated.create(account, url)).status == 200


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/a.jpg", "nonsense", "http://127.0.0.1:1/a.jpg", "http://127.0.0.1/ä.jpg", "http://["]
)
async def test_url_that_cannot_be_fetched(emulated, account, url):
    """A URL of another scheme, without a listener or not plain ASCII counts as one that could not be fetched."""
    assert (await emulated.create(account, url)).error == (9004, 2207052)


async def test_slow_host_is_given_up(start, images):
    """An image that does not arrive within the deadline fails as a slow download."""
    emulated = await start(fetch_deadline_s=0.05)
    account = await emulated.new_account()

    assert (await emulated.create(account, f"{images.origin}/stalled")).error == (-2, 2207003)


async def test_container_is_in_progress_while_its_image_is_fetched(start, images):
    """With faults on the container, the id comes before the image, and publishing before it arrived is refused."""
    emulated = await start(media_errors="in_container")
    account = await emulated.new_account()

    container_id = (await emulated.create(account, f"{images.origin}/stalled")).body["id"]
    await asyncio.wait_for(images.arrived.wait(), 10)

    assert await emulated.status_of(account, container_id) == "IN_PROGRESS"
    assert (await emulated.publish(account, container_id)).error == (9007, 2207027)
    images.released.set()
    assert await emulated.settled(account, container_id) == "FINISHED"


@pytest.mark.parametrize(
    ("caption", "is_allowed"),
    [
        ("é" * 2200, True),
        ("x" * 2201, False),
        ("#tag " * 30, True),
        ("#tag " * 31, False),
        ("@name " * 20, True),
        ("@name " * 21, False),
        ("mail@example.com " * 21, True),
    ],
)
async def test_caption_limits(emulated, account, images, caption, is_allowed):
    """2200 characters, 30 hashtags and 20 tags pass, one more does not; a mail address is no tag."""
    answer = await emulated.create(account, f"{images.origin}/good.jpg", caption=caption)

    assert answer.status == 200 if is_allowed else answer.error == (36004, 2207010)


async def test_400_containers_a_day(emulated, account, clock, images):
    """The 401st container within 24 h is refused, failed ones counted; a day later there is room again."""
    url = f"{images.origin}/good.jpg"
    answers = [await emulated.create(account, "nonsense") for _ in range(399)]
    assert {answer.error for answer in answers} == {(9004, 2207052)}

    assert (await emulated.create(account, url)).status == 200
    assert (await emulated.create(account, url)).error == (9, 2207042)
    other = await emulated.new_account()
    assert (await emulated.create(other, url)).status == 200
    clock.advance(24 * 3600 + 1)
    assert (await emulated.create(account, url)).status == 200
