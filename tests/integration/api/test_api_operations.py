"""Operations are listed, filtered and paged as everything else."""

from __future__ import annotations

from uuid import UUID, uuid4


async def test_operations_are_listed_by_state_and_type_without_their_ids(gateway, alice, bob):
    """The newest first; what an import made is told by the operation itself."""
    ids = []
    for state, result in [
        ("succeeded", '{"created": 1, "updated": 0, "unchanged": 0, "accounts": []}'),
        ("running", None),
        ("running", None),
    ]:
        ids.append(str(uuid4()))
        await gateway.rows(
            "INSERT INTO operations (id, user_id, type, state, done, total, result, finished_at) "
            "VALUES ($1, $2, 'import:accounts', $3, 1, 4, $4::jsonb, CASE WHEN $3 = 'succeeded' THEN now() END)",
            UUID(ids[-1]),
            UUID(alice.user_id),
            state,
            result,
        )

    everything = (await alice.get("/v1/operations?count=true")).body
    running = (await alice.get("/v1/operations?state=running&type=import:accounts&limit=1")).body
    following = (
        await alice.get(f"/v1/operations?state=running&type=import:accounts&limit=1&cursor={_next(running)}")
    ).body
    wrong = await alice.get("/v1/operations?type=coffee")

    assert [one["id"] for one in everything["data"]] == ids[::-1]
    assert everything["pagination"]["total"] == 3
    assert everything["data"][2]["result"] == {"created": 1, "updated": 0, "unchanged": 0}
    assert [one["id"] for page in (running, following) for one in page["data"]] == [ids[2], ids[1]]
    assert running["data"][0]["progress"] == 0.25
    assert (wrong.status, wrong.body["errors"][0]["path"]) == (422, "type")
    assert (await bob.get("/v1/operations")).body["data"] == []
    assert (await bob.get(f"/v1/operations/{ids[0]}")).status == 404


def _next(page):
    return page["pagination"]["next_cursor"]
