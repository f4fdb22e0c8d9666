from __future__ import annotations

from datetime import datetime

import pytest


async def test_clock_goes_forward(emulated, account, images):
    """A step forward is seen by everything that has a time: here a container that expires and a new post."""
    container_id = await emulated.finished(account, image_url=f"{images.origin}/good.jpg")
    before = await emulated.control("GET", "clock")

    after = await emulated.control("POST", "clock", {"advance_s": 86_400})

    assert after["ahead_s"] == before["ahead_s"] + 86_400
    assert (datetime.fromisoformat(after["now"]) - datetime.fromisoformat(before["now"])).total_seconds() >= 86_400
    assert await emulated.status_of(account, container_id) == "EXPIRED"
    await emulated.post(account, f"{images.origin}/good.jpg")
    [media] = await emulated.control("GET", "media")
    assert datetime.fromisoformat(media["timestamp"]) >= datetime.fromisoformat(after["now"])


async def test_reset_returns_to_the_present(emulated):
    """A reset ends the journey."""
    await emulated.control("POST", "clock", {"advance_s": 5})

    await emulated.control("POST", "reset")

    assert (await emulated.control("GET", "clock"))["ahead_s"] == 0


@pytest.mark.parametrize("body", [{}, {"advance_s": -1}, {"advance_s": "much"}, {"advance_s": 1e12}, {"to": 1}, []])
async def test_clock_refuses_what_it_cannot_do(emulated, body):
    """No number, one that goes back and one beyond a year are refused with a sentence."""
    answer = await emulated.call("POST", "/_emulator/clock", json=body)

    assert (answer.status, isinstance(answer.body["error"], str)) == (400, True)
    assert (await emulated.control("GET", "clock"))["ahead_s"] == 0
