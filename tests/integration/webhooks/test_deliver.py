"""Deliveries: what a receiver gets, and what becomes of its answers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from functools import partial

import pytest

from services.scheduler import call_receiver
from services.scheduler.call_receiver import open_receivers
from services.scheduler.deliver_webhook import end_parked_delivery
from services.scheduler.rescue_deliveries import rescue_deliveries_once
from shared.jobs import Dead, DeliverWebhook, JobType, Transient, get_job_options_by_type, new_job
from shared.security import new_webhook_secret
from shared.webhooks import PREVIOUS_SECRET_COLUMN
from tests.receivers import Receiver, Webhooks, serving
from tests.seeds import CIPHER
from tests.trusted_tls import server_context
from tests.waiting import until


def signature(secret, headers, body):
    """As the specification has it, written without the product."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


async def test_a_delivery_is_signed_and_sent_as_it_is_kept(webhooks, receiver):
    """A receiver checks it with any library of Standard Webhooks."""
    secret = new_webhook_secret()
    webhook_id = await webhooks.add(receiver.url, secret=secret)
    new = await webhooks.add_delivery(webhook_id, body=b'{"type":"media.reachable"}')

    assert await webhooks.deliver(new.id) is None

    [(headers, body)] = receiver.requests
    row = await webhooks.delivery(new.id)
    assert body == b'{"type":"media.reachable"}'
    assert headers["webhook-id"] == str(new.event_id)
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert headers["webhook-signature"] == signature(secret, headers, body)
    assert headers["Content-Type"] == "application/json"
    assert (row["state"], row["attempts"], row["status"], row["error"]) == ("delivered", 1, 204, None)
    assert row["delivered_at"] is not None
    assert row["next_attempt_at"] is None


async def test_while_a_secret_is_rotated_both_sign(webhooks, receiver):
    """A receiver may change its setting any time that day."""
    old, new = new_webhook_secret(), new_webhook_secret()
    webhook_id = await webhooks.add(receiver.url, secret=new)
    sealed = CIPHER.encrypt(old, user_id=webhooks.user_id, row_id=webhook_id, column=PREVIOUS_SECRET_COLUMN)
    await webhooks.pool.execute(
        "UPDATE webhooks SET previous_key_id = $1, previous_sealed = $2, previous_until = now() + interval '1 hour'",
        sealed.key_id,
        sealed.ciphertext,
    )
    await webhooks.deliver((await webhooks.add_delivery(webhook_id)).id)
    await webhooks.pool.execute("UPDATE webhooks SET previous_until = now() - interval '1 second'")
    await webhooks.deliver((await webhooks.add_delivery(webhook_id)).id)

    [(during, _), (after, _)] = receiver.requests
    assert during["webhook-signature"].split(" ") == [signature(key, during, b"{}") for key in (new, old)]
    assert after["webhook-signature"] == signature(new, after, b"{}")


async def test_a_receiver_over_tls_is_called_if_its_certificate_is_trusted(tmp_path, pool, tenant, courier_of):
    """Another one is told by its name, and is sent nothing."""
    certificate, trust = server_context(tmp_path)
    receiver = Receiver()
    async with (
        serving(receiver, tls=certificate),
        open_receivers(private_networks=True, trust=trust) as trusting,
        open_receivers(private_networks=True) as wary,
    ):
        errors = []
        for receivers in (wary, trusting):
            webhooks = Webhooks(pool, courier_of(receivers), tenant.user_id)
            new = await webhooks.add_delivery(await webhooks.add(receiver.url))
            await webhooks.deliver(new.id)
            errors.append((await webhooks.delivery(new.id))["error"])

    assert errors == ["It cannot be reached: its certificate is not valid.", None]
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [302, 400, 500])
async def test_whatever_is_no_success_is_tried_again(webhooks, receiver, status):
    """By the policy of the type; the log tells the status, and where it redirects is not followed."""
    receiver.status, receiver.headers = status, {"Location": receiver.url}
    webhook_id = await webhooks.add(receiver.url)
    new = await webhooks.add_delivery(webhook_id)

    raised = await webhooks.deliver(new.id)

    row = await webhooks.delivery(new.id)
    assert isinstance(raised, Transient)
    assert raised.retry_after_s == 680
    assert (row["state"], row["attempts"], row["status"]) == ("pending", 1, status)
    assert str(status) in row["error"]
    assert row["next_attempt_at"] - row["attempted_at"] == timedelta(seconds=680)
    assert (await webhooks.webhook(webhook_id))["failing_since"] is not None
    assert len(receiver.requests) == 1


async def test_a_receiver_may_wish_for_a_longer_wait(webhooks, receiver):
    """Its own wait wins over a shorter one."""
    receiver.status, receiver.headers = 503, {"Retry-After": "3600"}
    new = await webhooks.add_delivery(await webhooks.add(receiver.url))

    raised = await webhooks.deliver(new.id)

    assert raised.retry_after_s == 3600


async def test_eight_tries_fill_a_day_and_then_it_has_failed(webhooks, receiver):
    """The row counts, so that a job that was lost and made anew adds none."""
    receiver.status = 500
    new = await webhooks.add_delivery(await webhooks.add(receiver.url))

    raised = [await webhooks.deliver(new.id) for _ in range(9)]

    row = await webhooks.delivery(new.id)
    waits_s = [error.retry_after_s or 0.0 for error in raised if isinstance(error, Transient)]
    assert get_job_options_by_type(JobType.WEBHOOK_DELIVER).attempts == 8
    assert len(receiver.requests) == 8
    assert len(waits_s) == 7
    assert timedelta(hours=23) < timedelta(seconds=sum(waits_s)) < timedelta(hours=25)
    assert (row["state"], row["attempts"], row["next_attempt_at"]) == ("failed", 8, None)


async def test_what_gets_through_ends_a_failure(webhooks, receiver):
    """A webhook counts as failing only while nothing gets through."""
    webhook_id = await webhooks.add(receiver.url)
    new = await webhooks.add_delivery(webhook_id)
    receiver.status = 500
    await webhooks.deliver(new.id)
    receiver.status = 200
    await webhooks.deliver(new.id)

    row = await webhooks.delivery(new.id)
    assert (row["state"], row["attempts"]) == ("delivered", 2)
    assert (await webhooks.webhook(webhook_id))["failing_since"] is None


@pytest.mark.parametrize(("status", "reason"), [(410, "gone"), (500, "failing")])
async def test_a_webhook_that_is_dead_is_disabled_with_an_event(webhooks, receiver, status, reason):
    """Its receiver says that it is gone, or nothing has got through for three days."""
    receiver.status = status
    webhook_id = await webhooks.add(receiver.url)
    if reason == "failing":
        await webhooks.pool.execute("UPDATE webhooks SET failing_since = now() - interval '73 hours'")
    new, later = await webhooks.add_delivery(webhook_id), await webhooks.add_delivery(webhook_id)

    await webhooks.deliver(new.id)
    await webhooks.deliver(later.id)

    webhook = await webhooks.webhook(webhook_id)
    [event] = await webhooks.pool.fetch("SELECT type, subject, payload FROM events")
    assert (webhook["state"], webhook["state_reason"]) == ("disabled", reason)
    assert (event["type"], event["subject"]) == ("webhook.disabled", str(webhook_id))
    assert json.loads(event["payload"])["reason"] == reason
    assert len(receiver.requests) == 1
    assert (await webhooks.delivery(later.id))["state"] == "failed"


async def test_a_worker_that_dies_sends_the_same_event_again(webhooks, receiver):
    """Its receiver had it and nobody knows: it comes once more, under the id that it knows it by."""
    receiver.hold = asyncio.Event()
    new = await webhooks.add_delivery(await webhooks.add(receiver.url))
    dying = asyncio.create_task(webhooks.deliver(new.id))
    await until(partial(receiver.got, 1), what="the receiver is called")
    dying.cancel()
    await asyncio.wait([dying])
    receiver.hold.set()

    await webhooks.deliver(new.id)
    await webhooks.deliver(new.id)

    assert receiver.ids == [str(new.event_id)] * 2
    assert (await webhooks.delivery(new.id))["state"] == "delivered"


async def test_a_receiver_that_hangs_is_given_up(webhooks, receiver, monkeypatch):
    """A call has a deadline, and the delivery another try."""
    monkeypatch.setattr(call_receiver, "_DEADLINE_S", 0.1)
    receiver.hold = asyncio.Event()
    new = await webhooks.add_delivery(await webhooks.add(receiver.url))

    await webhooks.deliver(new.id)
    receiver.hold.set()

    row = await webhooks.delivery(new.id)
    assert (row["state"], row["status"]) == ("pending", None)
    assert "within 0.1 s" in row["error"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://127.0.0.1/hook", "not on the public internet"),
        ("https://169.254.169.254/latest/meta-data", "not on the public internet"),
        ("https://localhost/hook", "not on the public internet"),  # by its name
        ("http://example.com/hook", "must begin with https://"),
        ("https://example.com:8443/hook", "port 8443"),
    ],
)
async def test_nothing_inside_is_called(pool, tenant, courier_of, url, told):
    """Whatever a webhook was made with, it is judged again when it is called, names by what they resolve to."""
    async with open_receivers(private_networks=False) as receivers:
        webhooks = Webhooks(pool, courier_of(receivers), tenant.user_id)
        new = await webhooks.add_delivery(await webhooks.add(url))

        await webhooks.deliver(new.id)

    row = await webhooks.delivery(new.id)
    assert (row["state"], row["status"]) == ("pending", None)
    assert told in row["error"]


async def test_a_delivery_whose_job_was_lost_gets_another(webhooks):
    """The broker may be wiped; nothing that was to be sent is forgotten."""
    new = await webhooks.add_delivery(await webhooks.add())
    fresh = await webhooks.add_delivery(new.webhook_id)
    await webhooks.pool.execute("DELETE FROM outbox")
    await webhooks.pool.execute(
        "UPDATE webhook_deliveries SET next_attempt_at = now() - interval '16 minutes' WHERE id = $1", new.id
    )

    for _ in range(2):
        await rescue_deliveries_once(webhooks.pool)

    jobs = await webhooks.pool.fetch("SELECT subject FROM outbox")
    assert [job["subject"] for job in jobs] == [str(new.id)]
    assert (await webhooks.delivery(fresh.id))["state"] == "pending"


async def test_a_job_that_the_engine_gives_up_ends_its_delivery(webhooks):
    """Nothing is left that waits for ever."""
    new = await webhooks.add_delivery(await webhooks.add())
    payload = DeliverWebhook(user_id=webhooks.user_id, delivery_id=new.id)

    job = new_job(JobType.WEBHOOK_DELIVER, payload)
    await end_parked_delivery(webhooks.pool, job, payload, Dead(reason="crash_loop", error="twice"))

    row = await webhooks.delivery(new.id)
    assert (row["state"], row["error"]) == ("failed", "It was given up: crash_loop.")
