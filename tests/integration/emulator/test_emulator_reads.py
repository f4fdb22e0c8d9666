from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from deploy.emulator import Account


async def test_account_reads(emulated, account):
    """/me and the account's own id give the account; the `id` of /me is another one, as on the platform."""
    fields = "user_id,username,account_type,media_count,biography"

    me = (await emulated.graph(account, "GET", "/me", fields=fields)).body
    own = (await emulated.graph(account, "GET", f"/{account['ig_user_id']}", fields=fields)).body

    assert me["user_id"] == own["user_id"] == own["id"] == account["ig_user_id"]
    assert me["id"] != account["ig_user_id"]
    assert me["username"] == account["username"]
    assert "biography" not in me
    assert (await emulated.graph(account, "GET", f"/{account['ig_user_id']}")).body == {"id": account["ig_user_id"]}
    assert (await emulated.graph(account, "GET", "/me", fields="id,nonsense")).error == (100, None)
    assert (await emulated.graph(account, "GET", "/me", fields="id{")).error == (2500, None)


async def test_ids_are_large_and_never_repeat(emulated, account, images):
    """Ids are numeric strings beyond 2**53, and a reset does not give one again."""
    before = [account["ig_user_id"], await emulated.post(account, f"{images.origin}/good.jpg")]
    await emulated.control("POST", "reset")
    account = await emulated.new_account()
    after = [account["ig_user_id"], await emulated.post(account, f"{images.origin}/good.jpg")]

    assert all(int(any_id) > 2**53 for any_id in before + after)
    assert len(set(before + after)) == 4


async def test_media_read(emulated, account, images):
    """A post shows what was asked for: caption, permalink, UTC timestamp without a colon, owner."""
    media_id = await emulated.post(account, f"{images.origin}/good.jpg", caption="Hello", alt_text="A lake")

    fields = "id,caption,permalink,timestamp,media_type,media_product_type,alt_text,owner{id},children{id},media_url"
    media = (await emulated.graph(account, "GET", f"/{media_id}", fields=fields)).body

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", media.pop("timestamp"))
    assert media.pop("permalink").startswith(f"{emulated.origin}/p/")
    assert media == {
        "id": media_id,
        "caption": "Hello",
        "media_type": "IMAGE",
        "media_product_type": "FEED",
        "alt_text": "A lake",
        "owner": {"id": account["ig_user_id"]},
        "media_url": f"{images.origin}/good.jpg",
    }


async def test_permalink_opens(emulated, account, images):
    """A permalink leads to a page with the picture and the caption, its markup harmless."""
    await emulated.post(account, f"{images.origin}/good.jpg", caption="<script>Hello</script>")
    [media] = await emulated.control("GET", "media")

    async with emulated.session.get(media["permalink"]) as response:
        page = await response.text()

    assert f"{images.origin}/good.jpg" in page
    assert "&lt;script&gt;Hello" in page
    assert "<script>" not in page
    async with emulated.session.get(f"{emulated.origin}/p/AAAA/") as response:
        assert response.status == 404


async def test_list_pages_newest_first(emulated, account, images):
    """Following `next` gives every post once, newest first; the last page has no `next`; `previous` leads back."""
    ids = [await emulated.post(account, f"{images.origin}/good.jpg", caption=str(number)) for number in range(5)]
    listing = f"/{account['ig_user_id']}/media"

    pages = [(await emulated.graph(account, "GET", listing, fields="id,caption", limit="2")).body]
    while "next" in pages[-1]["paging"]:
        pages.append((await emulated.call("GET", pages[-1]["paging"]["next"].removeprefix(emulated.origin))).body)

    assert [[post["caption"] for post in page["data"]] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]
    assert [post["id"] for page in pages for post in page["data"]] == ids[::-1]
    back = await emulated.call("GET", pages[2]["paging"]["previous"].removeprefix(emulated.origin))
    assert back.body["data"] == pages[1]["data"]
    assert "previous" not in pages[0]["paging"]


async def test_list_survives_posts_between_pages(emulated, account, images):
    """A post published between two pages neither repeats nor hides another."""
    url = f"{images.origin}/good.jpg"
    ids = [await emulated.post(account, url) for _ in range(3)]
    listing = f"/{account['ig_user_id']}/media"
    first = (await emulated.graph(account, "GET", listing, limit="2")).body
    await emulated.post(account, url)

    after = first["paging"]["cursors"]["after"]
    second = (await emulated.graph(account, "GET", listing, limit="2", after=after)).body

    assert second["data"] == [{"id": ids[0]}]


async def test_list_bounds(emulated, account):
    """An account without posts has an empty list; limits and cursors that mean nothing are refused."""
    listing = f"/{account['ig_user_id']}/media"

    assert (await emulated.graph(account, "GET", listing, limit="1000")).body == {"data": []}
    for bad in ({"limit": "0"}, {"limit": "many"}, {"after": "%%%"}, {"before": "bm9uc2Vuc2U"}):
        assert (await emulated.graph(account, "GET", listing, **bad)).error == (100, None)


def _by_header(token: str) -> dict[str, object]:
    return {"headers": {"Authorization": f"Bearer {token}"}, "json": {}}


def _by_query(token: str) -> dict[str, object]:
    return {"params": {"access_token": token}}


def _by_form(token: str) -> dict[str, object]:
    return {"data": {"access_token": token}}


def _by_json(token: str) -> dict[str, object]:
    return {"json": {"access_token": token}}


@pytest.mark.parametrize("place", [_by_header, _by_query, _by_form, _by_json])
@pytest.mark.parametrize("version", ["", "/v25.0", "/v26.0"])
async def test_token_and_parameters_anywhere(
    emulated, account, images, place: Callable[[str], dict[str, object]], version
):
    """The token counts in header, query, form and JSON; so do parameters; the version in the path is optional."""
    request = place(account["access_token"])
    kind = next((kind for kind in ("params", "data", "json") if kind in request), "json")
    request[kind] = {**request[kind], "image_url": f"{images.origin}/good.jpg"}  # type: ignore[dict-item]

    assert (await emulated.call("POST", f"{version}/{account['ig_user_id']}/media", **request)).status == 200
    wrong = place("EMULATOR-TOKEN-wrong")
    assert (await emulated.call("POST", f"{version}/{account['ig_user_id']}/media", **wrong)).error == (190, None)


async def test_call_without_a_token(emulated, account):
    """No token is answered like a wrong one."""
    answer = await emulated.call("GET", f"/{account['ig_user_id']}")

    assert answer.error == (190, None)
    assert set(answer.body["error"]) == {"message", "type", "code", "is_transient", "fbtrace_id"}


async def test_expired_token(start, clock):
    """A token stops working at its time with 190 / 463."""
    expires_at = datetime.now(UTC) + timedelta(seconds=60)
    emulated = await start(
        Account(ig_user_id="17841400000000001", username="a", access_token="T", token_expires_at=expires_at)
    )
    account = {"ig_user_id": "17841400000000001", "access_token": "T"}
    assert (await emulated.graph(account, "GET", "/me")).status == 200

    clock.advance(60)

    assert (await emulated.graph(account, "GET", "/me")).error == (190, 463)


async def test_other_accounts_are_out_of_reach(emulated, account, images):
    """Another account's ids, and ids that do not exist, are one and the same 100 / 33."""
    other = await emulated.new_account()
    url = f"{images.origin}/good.jpg"
    container_id = (await emulated.create(other, url)).body["id"]
    media_id = (await emulated.publish(other, container_id)).body["id"]
    own = other["ig_user_id"]

    answers = [
        await emulated.graph(account, method, path, image_url=url, creation_id=container_id)
        for method, path in [
            ("GET", f"/{container_id}"),
            ("GET", f"/{media_id}"),
            ("GET", f"/{own}"),
            ("GET", f"/{own}/media"),
            ("GET", f"/{own}/content_publishing_limit"),
            ("POST", f"/{own}/media"),
            ("POST", f"/{own}/media_publish"),
            ("GET", "/18888888888888888"),
            ("DELETE", f"/{media_id}"),
        ]
    ]

    assert {(answer.status, *answer.error) for answer in answers} == {(400, 100, 33)}


async def test_unknown_path(emulated, account):
    """A path the Graph API does not have is 2500, in the envelope."""
    assert (await emulated.graph(account, "GET", "/nonsense/media")).error == (2500, None)
    assert (await emulated.graph(account, "POST", "/me/media")).error == (2500, None)


async def test_body_that_cannot_be_read(emulated, account):
    """A broken or misshapen body is an invalid parameter, never a crash."""
    path = f"/{account['ig_user_id']}/media?access_token={account['access_token']}"
    for content, kind in [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'"text"', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"a": "\xff"}', "application/json"),
        (b"--x", "multipart/form-data"),
        (b"caption=%ff", "application/x-www-form-urlencoded; charset=nonsense"),
        (b"x" * 5_000_000, "application/x-www-form-urlencoded"),
    ]:
        answer = await emulated.call("POST", path, data=io.BytesIO(content), headers={"Content-Type": kind})
        assert (answer.status, answer.error) == (400, (100, None)), (content[:20], kind)


async def test_usage_headers(start):
    """Every authenticated answer tells the usage in percent, under the documented keys or those seen in practice."""
    emulated = await start(app_calls_per_hour=10, account_calls_per_day=4)
    account = await emulated.new_account()
    answers = [await emulated.graph(account, "GET", "/me") for _ in range(2)]
    headers = answers[1].headers

    assert json.loads(headers["X-App-Usage"]) == {"call_count": 20, "total_time": 0, "total_cputime": 0}
    [[usage]] = json.loads(headers["X-Business-Use-Case-Usage"]).values()
    assert usage["type"] == "instagram"
    assert usage["call_count"] == 50
    assert usage["estimated_time_to_regain_access"] == 0

    await emulated.control("POST", "reset", {"usage_keys": "observed"})
    account = await emulated.new_account()
    refused = await emulated.create(account, "nonsense")
    assert json.loads(refused.headers["X-App-Usage"]) == {"call_volume": 10, "cpu_time": 0}
