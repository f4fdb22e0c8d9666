"""Numbers over time, as clients get them."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def account(alice):
    [account_id] = await alice.add_accounts(1)
    return account_id


@pytest.fixture
def keep(gateway, alice):
    """Keep a snapshot, as the health service does."""

    async def keep(account_id, metrics, *, day=0, source="profile", publication_id=None, due_age_s=None):
        captured_at = START + day * DAY
        await gateway.rows(
            """
            INSERT INTO analytics_snapshots (
                id, user_id, account_id, publication_id, source, window_to, due_age_s, metrics, captured_at
            )
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6)
            """,
            uuid4(),
            UUID(alice.user_id),
            UUID(account_id),
            publication_id,
            source,
            captured_at,
            due_age_s,
            json.dumps(metrics),
        )

    return keep


async def _all(client, path, *, limit):
    """Every row of a list, page by page."""
    answer = await client.get(f"{path}?limit={limit}")
    found = []
    while True:
        assert answer.status == 200, answer.body
        found += answer.body["data"]
        if (cursor := answer.body["pagination"]["next_cursor"]) is None:
            return found
        answer = await client.get(f"{path}?limit={limit}&cursor={cursor}")


async def _limited_to(client, account_id):
    made = await client.post("/v1/api-keys", json={"name": "x", "scopes": ["read"], "account_ids": [account_id]})
    return {"Authorization": f"Bearer {made.body['key']}"}


async def test_a_snapshot_says_what_it_is(alice, account, keep):
    """Source, window, age, the numbers as they came, and what has changed since the one before."""
    await keep(account, {"followers_count": 100, "media_count": None})
    await keep(account, {"followers_count": 90, "media_count": 3}, day=1)

    [second, first] = (await alice.get(f"/v1/accounts/{account}/analytics")).body["data"]

    assert (first["deltas"], first["deltas_since"]) == ({"followers_count": None, "media_count": None}, None)
    assert second["metrics"] == {"followers_count": 90, "media_count": 3}
    assert second["deltas"] == {"followers_count": -10, "media_count": None}
    assert second["deltas_since"] == first["captured_at"] == "2026-01-01T00:00:00Z"
    assert second["window"] == {"from": None, "to": second["captured_at"]}
    assert (second["source"], second["publication_id"]) == ("profile", None)
    assert second["freshness_s"] > 0


async def test_deltas_are_never_invented(alice, account, keep):
    """However numbers come and go, a difference is of two numbers that were there, whatever page they stand on."""
    chance = random.Random(7)  # noqa: S311 - the same each time
    publication_id = uuid4()
    expected = {}
    for source, publication in (("profile", None), ("account_insights", None), ("media_insights", publication_id)):
        before: dict[str, Any] = {}
        for step in range(12):
            metrics: dict[str, Any] = {
                name: chance.choice([None, 0, 0.1, chance.randrange(1000)]) for name in ("a", "b", "c")
            }
            metrics = {name: value for name, value in metrics.items() if chance.random() < 0.9}
            age = {} if publication is None else {"publication_id": publication, "due_age_s": step + 1}
            await keep(account, metrics, day=step, source=source, **age)
            known = {name: (value, before.get(name)) for name, value in metrics.items()}
            expected[source, (START + step * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")] = {
                name: None if None in pair else pytest.approx(pair[0] - pair[1]) for name, pair in known.items()
            }
            before = metrics

    for limit in (1, 5, 100):
        found = await _all(alice, f"/v1/accounts/{account}/analytics", limit=limit)
        assert {(each["source"], each["captured_at"]): each["deltas"] for each in found} == expected
        assert len(found) == len(expected)


async def test_what_is_listed_can_be_chosen(alice, account, keep):
    """By source, publication and time; the differences stay those to the snapshot before, listed or not."""
    publication_id = uuid4()
    for day in range(3):
        await keep(account, {"followers_count": day * day}, day=day)
        await keep(
            account, {"reach": day}, day=day, source="media_insights", publication_id=publication_id, due_age_s=day
        )
    path = f"/v1/accounts/{account}/analytics"

    by_source = (await alice.get(f"{path}?source=media_insights&count=true")).body
    of_publication = (await alice.get(f"{path}?publication_id={publication_id}")).body["data"]
    [one] = (await alice.get(f"{path}?source=profile&from=2026-01-03T00:00:00Z&to=2026-01-03T00:00:01Z")).body["data"]
    nothing = (await alice.get(f"{path}?source=account_insights")).body["data"]

    assert by_source["pagination"]["total"] == 3
    assert by_source["data"] == of_publication
    assert one["deltas"] == {"followers_count": 3}
    assert nothing == []
    assert (await alice.get(f"{path}?source=rumours")).status == 422


async def test_the_numbers_of_one_publication(alice, bob, account, keep):
    """All of them at once; nobody else's."""
    post_id = await alice.add_post()
    body = {"account_ids": [account], "publish_at": "2035-01-01T12:00:00Z"}
    [publication_id] = (await alice.post(f"/v1/posts/{post_id}/publish", json=body)).body["publications"]
    for day in range(2):
        await keep(
            account,
            {"reach": 10 + day},
            day=day,
            source="media_insights",
            publication_id=UUID(publication_id),
            due_age_s=day,
        )
    path = f"/v1/publications/{publication_id}/analytics"
    [other] = await alice.add_accounts(1, first=2)

    found = (await alice.get(path)).body

    assert [(each["metrics"], each["deltas"]) for each in found["data"]] == [
        ({"reach": 11}, {"reach": 1}),
        ({"reach": 10}, {"reach": None}),
    ]
    assert found["pagination"]["has_more"] is False
    assert (await bob.get(path)).status == 404
    assert (await alice.get(path, headers=await _limited_to(alice, other))).status == 404
    assert (await alice.get(f"/v1/publications/{uuid4()}/analytics")).status == 404


async def test_numbers_are_seen_by_whose_they_are(alice, bob, account, keep):
    """Another tenant, and a key that is limited to other accounts, find nothing."""
    await keep(account, {"followers_count": 1})
    [other] = await alice.add_accounts(1, first=2)
    limited = await _limited_to(alice, other)

    for whose, status in ((account, 404), (other, 200)):
        for path in ("analytics", "health/history"):
            assert (await alice.get(f"/v1/accounts/{whose}/{path}", headers=limited)).status == status
    assert (await bob.get(f"/v1/accounts/{account}/analytics")).status == 404


async def test_the_history_of_health(gateway, alice, bob, account):
    """Every judgement with all that it said, newest first, by time."""
    for day in range(3):
        await gateway.rows(
            """
            INSERT INTO health_history (id, user_id, account_id, score, band, confidence, components, gates, reasons,
                                        formula_version, computed_at)
            VALUES ($1, $2, $3, $4, 'watch', 0.5, '{"access": 70.0}', '{"unresolved": 60}',
                    '[{"code": "unresolved", "text": "x", "advice": "y"}]', 2, $5)
            """,
            uuid4(),
            UUID(alice.user_id),
            UUID(account),
            70 + day,
            START + day * DAY,
        )
    path = f"/v1/accounts/{account}/health/history"

    found = await _all(alice, path, limit=2)
    between = (await alice.get(f"{path}?from=2026-01-02T00:00:00Z&to=2026-01-03T00:00:00Z")).body["data"]

    assert [each["score"] for each in found] == [72, 71, 70]
    assert between == [found[1]]
    assert found[0]["reasons"] == [{"code": "unresolved", "text": "x", "advice": "y"}]
    assert (found[0]["components"], found[0]["gates"]) == ({"access": 70.0}, {"unresolved": 60})
    assert (await bob.get(path)).status == 404
    assert (await alice.get(f"{path}?from=2026-01-02")).status in {400, 422}
