"""Warm-up protocols: reference data that every key may read."""

from __future__ import annotations


async def test_protocols_tell_what_a_warm_up_allows(alice):
    """Caps day by day, the gap between two posts, and in words when the next day begins."""
    listed = (await alice.get("/v1/protocols")).body
    one = (await alice.get("/v1/protocols/cautious")).body

    assert [protocol["id"] for protocol in listed["data"]] == ["cautious", "quick"]
    assert (listed["pagination"]["next_cursor"], listed["pagination"]["has_more"]) == (None, False)
    assert one == listed["data"][0]
    assert one["daily_caps"] == [2, 2, 3, 4, 5, 7, 9, 12, 15, 20]
    assert (one["min_gap_s"], one["success_ratio"]) == (1800, 0.95)
    assert "at least 95% of what ended succeeded" in one["advance_rule"]
    assert "After 10 days" in one["advance_rule"]


async def test_there_is_no_other_protocol(alice):
    """Whatever the path holds."""
    for name in ("reckless", "caut%00ious", "%27"):
        assert (await alice.get(f"/v1/protocols/{name}")).status == 404
