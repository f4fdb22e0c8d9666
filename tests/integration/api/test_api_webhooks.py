"""`/v1/webhooks`: made, changed, rotated, tested and removed."""

from __future__ import annotations

import re

import pytest
from uuid_utils.compat import uuid7

from shared.security import SealedToken
from shared.webhooks import PREVIOUS_SECRET_COLUMN, SECRET_COLUMN

URL = "https://receiver.example.com/hook"


async def add(client, **fields):
    answer = await client.post("/v1/webhooks", json={"url": URL, **fields})
    assert answer.status == 201, answer.body
    return answer.body


async def stored(gateway):
    [row] = await gateway.rows("SELECT * FROM webhooks")
    return row


async def test_a_webhook_is_made_and_its_secret_shown_once(gateway, alice):
    """In the form of Standard Webhooks; kept encrypted, and told by no other answer."""
    made = await add(alice, events=["publication.failed", "media.*"], description="Ours")
    one = await alice.get(f"/v1/webhooks/{made['id']}")
    page = await alice.get("/v1/webhooks")

    row = await stored(gateway)
    sealed = SealedToken(key_id=row["key_id"], ciphertext=row["sealed"])
    kept = gateway.deps.cipher.decrypt(sealed, user_id=row["user_id"], row_id=row["id"], column=SECRET_COLUMN)
    secret = made.pop("secret")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert kept == secret
    assert one.body == made
    assert page.body["data"] == [made]
    assert (made["state"], made["events"]) == ("enabled", ["media.*", "publication.failed"])


async def test_a_repeated_request_shows_the_same_secret_again(gateway, alice):
    """Whoever lost the answer asks again under the same key."""
    key = {"Idempotency-Key": "one"}
    answers = [await alice.post("/v1/webhooks", json={"url": URL}, headers=key) for _ in range(2)]

    assert answers[0].body == answers[1].body
    assert await gateway.count("webhooks") == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "http://example.com/"),
        ("url", "https://127.0.0.1/"),
        ("url", "https://[::1]/"),
        ("url", "https://169.254.169.254/latest"),
        ("url", "https://2130706433/"),
        ("url", "https://example.com:9100/"),
        ("url", "https://user:secret@example.com/"),
        ("url", "ftp://example.com/"),
        ("url", "no url"),
        ("events", ["publication.gone"]),
        ("events", ["*"]),
        ("description", "two\nlines"),
    ],
)
async def test_what_can_never_work_is_refused(gateway, alice, field, value):
    """A webhook leads to the public internet, and asks for events that exist."""
    answer = await alice.post("/v1/webhooks", json={"url": URL, field: value})

    assert (answer.status, answer.body["code"]) == (422, "validation_failed")
    assert answer.body["errors"][0]["path"] == field
    assert await gateway.count("webhooks") == 0


async def test_an_operator_may_let_webhooks_into_private_networks(settings, run_gateway):
    """For receivers beside the system; every tenant is trusted then."""
    allowing = type(settings)(**{**vars(settings), "webhook_private_networks": "on"})
    async with run_gateway(allowing) as gateway:
        client = await gateway.client("alice@example.com")
        made = await add(client, url="http://10.0.0.7:8000/hook")

    assert made["url"] == "http://10.0.0.7:8000/hook"


async def test_a_webhook_is_changed(alice):
    """What is given; the rest stays."""
    made = await add(alice, events=["media.*"])
    path = f"/v1/webhooks/{made['id']}"

    changed = await alice.call("PATCH", path, json={"events": [], "description": "All"})
    refused = await alice.call("PATCH", path, json={"url": "https://10.0.0.1/"})
    stale = await alice.call("PATCH", path, json={"events": []}, headers={"If-Match": '"other"'})

    assert (changed.status, changed.body["events"], changed.body["description"]) == (200, [], "All")
    assert changed.body["url"] == URL
    assert (refused.status, stale.status) == (422, 412)


async def test_a_webhook_that_is_enabled_again_begins_anew(gateway, alice):
    """It is not told what it missed, and what was held against it is forgotten."""
    made = await add(alice)
    path = f"/v1/webhooks/{made['id']}"
    await alice.call("PATCH", path, json={"state": "disabled"})
    await gateway.rows("UPDATE webhooks SET state_reason = 'failing', failing_since = now(), position_tx = '3'")
    disabled = await alice.get(path)

    enabled = await alice.call("PATCH", path, json={"state": "enabled"})

    assert (disabled.body["state"], disabled.body["state_reason"]) == ("disabled", "failing")
    assert (enabled.body["state"], enabled.body["state_reason"], enabled.body["failing_since"]) == (
        "enabled",
        None,
        None,
    )
    assert int((await gateway.rows("SELECT position_tx::text FROM webhooks"))[0]["position_tx"]) > 3


async def test_a_rotated_secret_leaves_the_one_before_for_a_day(gateway, alice):
    """The receiver's setting can be changed without losing a delivery."""
    made = await add(alice)
    rotated = await alice.post(f"/v1/webhooks/{made['id']}/rotate-secret")

    row = await stored(gateway)
    before = SealedToken(key_id=row["previous_key_id"], ciphertext=row["previous_sealed"])
    kept = gateway.deps.cipher.decrypt(before, user_id=row["user_id"], row_id=row["id"], column=PREVIOUS_SECRET_COLUMN)
    hours = await gateway.rows("SELECT extract(epoch FROM previous_until - now()) / 3600 AS hours FROM webhooks")
    assert rotated.status == 200
    assert rotated.body["secret"] != made["secret"]
    assert kept == made["secret"]
    assert 23.9 < hours[0]["hours"] <= 24


async def test_a_test_is_a_delivery_like_any_other(gateway, alice):
    """Of an event that nobody else is told of; its job is there with it."""
    made = await add(alice)
    tested = await alice.post(f"/v1/webhooks/{made['id']}/test")
    page = await alice.get(f"/v1/webhooks/{made['id']}/deliveries")

    jobs = await gateway.rows("SELECT subject FROM outbox WHERE type = 'webhook:deliver'")
    assert (tested.status, tested.body["event_type"], tested.body["state"]) == (202, "webhook.test", "pending")
    assert page.body["data"] == [tested.body]
    assert [job["subject"] for job in jobs] == [tested.body["id"]]
    assert await gateway.count("events") == 0


async def test_a_delivery_is_sent_again_under_the_same_event(gateway, alice):
    """A new delivery, so that the first one's tale stays."""
    made = await add(alice)
    path = f"/v1/webhooks/{made['id']}"
    tested = await alice.post(f"{path}/test")
    await gateway.rows("UPDATE webhook_deliveries SET state = 'failed'")

    again = await alice.post(f"{path}/deliveries/{tested.body['id']}/redeliver")
    unknown = await alice.post(f"{path}/deliveries/{uuid7()}/redeliver")
    failed = await alice.get(f"{path}/deliveries?state=failed")

    payloads = await gateway.rows("SELECT DISTINCT payload FROM webhook_deliveries")
    assert again.status == 202
    assert again.body["event_id"] == tested.body["event_id"]
    assert again.body["id"] != tested.body["id"]
    assert [row["id"] for row in failed.body["data"]] == [tested.body["id"]]
    assert len(payloads) == 1
    assert unknown.status == 404


async def test_a_disabled_webhook_is_sent_nothing(alice):
    """It is said, instead of waiting for what never comes."""
    made = await add(alice)
    path = f"/v1/webhooks/{made['id']}"
    tested = await alice.post(f"{path}/test")
    await alice.call("PATCH", path, json={"state": "disabled"})

    answers = [
        await alice.post(f"{path}/test"),
        await alice.post(f"{path}/deliveries/{tested.body['id']}/redeliver"),
    ]

    assert [(answer.status, answer.body["code"]) for answer in answers] == [(409, "state_conflict")] * 2


async def test_a_webhook_goes_with_its_deliveries(gateway, alice):
    """Nothing that waits is sent."""
    made = await add(alice)
    await alice.post(f"/v1/webhooks/{made['id']}/test")

    removed = await alice.call("DELETE", f"/v1/webhooks/{made['id']}")
    again = await alice.call("DELETE", f"/v1/webhooks/{made['id']}")

    assert (removed.status, again.status) == (204, 404)
    assert await gateway.count("webhook_deliveries") == 0


async def test_every_change_is_written_down_without_a_secret(gateway, alice):
    """The audit log tells who did what."""
    made = await add(alice)
    path = f"/v1/webhooks/{made['id']}"
    rotated = await alice.post(f"{path}/rotate-secret")
    await alice.post(f"{path}/test")
    await alice.call("PATCH", path, json={"description": "x"})
    await alice.call("DELETE", path)

    lines = await gateway.rows("SELECT action, before::text || after::text AS told FROM audit_log ORDER BY id")
    actions = ["created", "secret_rotated", "tested", "changed", "removed"]
    assert [line["action"] for line in lines] == [f"webhook.{action}" for action in actions]
    assert not any(secret in str(lines) for secret in (made["secret"], rotated.body["secret"]))


async def test_a_tenant_has_so_many_and_no_more(alice, bob):
    """Each is asked about at every turn of the fan-out."""
    for _ in range(20):
        await add(alice)

    answer = await alice.post("/v1/webhooks", json={"url": URL})

    assert (answer.status, answer.body["code"]) == (409, "state_conflict")
    await add(bob)
