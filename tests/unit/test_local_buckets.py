"""The buckets of one process: what they give, what flows back, and that they are bounded."""

from __future__ import annotations

import pytest

from services.api.limits.local_buckets import LocalBuckets
from services.api.limits.policy import Bucket, Policy

FAST = Policy(name="key", per_s=10.0, burst=20)
SLOW = Policy(name="tenant", per_s=1.0, burst=5)


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def buckets(clock):
    return LocalBuckets(clock=clock)


def bucket(policy, name="a"):
    return Bucket(policy=policy, name=f"{policy.name}:{name}")


def test_a_bucket_gives_what_it_holds_and_what_flows_back(buckets, clock):
    """The burst at once, then one unit each time its share of a second has passed."""
    one = [bucket(FAST)]

    assert buckets.take(one, cost=1, wanted=50).granted == 20
    refused = buckets.take(one, cost=1, wanted=1)
    assert (refused.granted, refused.left) == (0, (0,))
    assert refused.wait_s == (pytest.approx(0.1),)
    clock.now += 0.1
    assert buckets.take(one, cost=1, wanted=1).granted == 1
    clock.now += 1_000.0
    assert buckets.take(one, cost=1, wanted=50).granted == 20


def test_all_buckets_give_or_none_does(buckets):
    """What one cannot give is not taken from the other; the wait names the one that lacks it."""
    both = [bucket(FAST), bucket(SLOW)]

    assert buckets.take(both, cost=4, wanted=9).granted == 5
    refused = buckets.take(both, cost=4, wanted=9)

    assert refused.granted == 0
    assert refused.wait_s == (0.0, pytest.approx(4.0))
    assert buckets.take([bucket(FAST)], cost=1, wanted=50).granted == 15


def test_the_table_of_buckets_is_bounded(buckets):
    """However many come, only those are known that came last."""
    for number in range(10_050):
        buckets.take([bucket(SLOW, str(number))], cost=1, wanted=1)

    assert len(buckets) == 10_000
    assert buckets.take([bucket(SLOW, "10049")], cost=1, wanted=50).granted == 4
    assert buckets.take([bucket(SLOW, "0")], cost=1, wanted=50).granted == 5
