"""Every list of the API: pages both ways, by header and by body, for whom they were made and for nobody else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from services.api.app import ROUTES

COUNT = 3
LISTS = ["/v1/accounts", "/v1/distributions", "/v1/groups", "/v1/posts", "/v1/publications"]
LIMITS = [("0", 1), ("-5", 1), ("2", 2), ("101", 100), ("9" * 4000, 100)]


@pytest.fixture
async def filled(alice):
    """Alice with three rows in each list."""
    accounts = await alice.add_accounts(COUNT)
    begin = datetime.now(UTC) + timedelta(hours=1)
    window = {"from": begin.isoformat(), "to": (begin + timedelta(hours=1)).isoformat()}
    for number, account in enumerate(accounts):
        group = await alice.add_group([account], name=f"group {number}")
        wish = {"post_id": await alice.add_post(), "group_id": group, "window": window}
        answer = await alice.post("/v1/distributions", json=wish)
        assert answer.status == 202, answer.body
    return alice


def ids(answer):
    return [row["id"] for row in answer.body["data"]]


def links(answer):
    return {relation: url for url, relation in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers.get("Link", ""))}


async def follow(client, path, relation):
    """The page at a path, and every page that links of one relation lead to from there."""
    pages = [await client.get(path)]
    while relation in links(pages[-1]):
        pages.append(await client.get(links(pages[-1])[relation]))
    return pages


async def test_these_are_all_the_lists(filled):
    """A route that answers in pages is one of those that the tests below walk."""
    plain = [route.path for route in ROUTES if route.method == "GET" and "{" not in route.path]

    paged = [path for path in plain if "pagination" in (await filled.get(path)).body]

    assert sorted(paged) == LISTS


async def test_links_lead_through_every_list_and_back(filled):
    """Following `Link` headers alone shows every row once, newest first, and the same rows on the way back."""
    for path in LISTS:
        everything = ids(await filled.get(path))
        forth = await follow(filled, f"{path}?limit=1", "next")
        last = f"{path}?limit=1&cursor={forth[-2].body['pagination']['next_cursor']}"
        back = await follow(filled, last, "prev")

        assert len(everything) == COUNT
        assert [row for page in forth for row in ids(page)] == everything
        assert [row for page in back for row in ids(page)] == everything[::-1]
        assert [set(links(page)) for page in forth] == [{"next"}, {"next", "prev"}, {"prev"}]


async def test_a_cursor_is_worth_nothing_elsewhere(filled, bob):
    """Another user's list, another route and other filters refuse it alike."""
    cursor = (await filled.get("/v1/publications?limit=1&state=scheduled")).body["pagination"]["next_cursor"]
    asked = [
        await filled.get(f"/v1/publications?state=scheduled&cursor={cursor}"),
        await filled.get(f"/v1/publications?state=scheduled&limit=7&cursor={cursor}"),
        await bob.get(f"/v1/publications?state=scheduled&cursor={cursor}"),
        await filled.get(f"/v1/accounts?cursor={cursor}"),
        await filled.get(f"/v1/publications?cursor={cursor}"),
        await filled.get(f"/v1/publications?state=held&cursor={cursor}"),
    ]

    assert [answer.status for answer in asked] == [200, 200, 400, 400, 400, 400]
    assert {answer.body["code"] for answer in asked[2:]} == {"invalid_cursor"}


async def test_limits_mean_the_same_on_every_list(alice):
    """One outside is brought inside, and told; one that is no number is refused."""
    for path in LISTS:
        for asked, given in LIMITS:
            assert (await alice.get(f"{path}?limit={asked}")).body["pagination"]["limit"] == given
        refused = await alice.get(f"{path}?limit=many")
        assert (refused.status, refused.body["code"]) == (400, "invalid_limit")
