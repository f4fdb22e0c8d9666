"""The breaker: what counts as an outage of the platform, who may try it, and what is remembered of it."""

import random

import pytest

from shared.instagram import GraphError, GraphUnclearError, GraphUnreachableError, classify
from shared.instagram.gate.evidence import Evidence, is_outage
from shared.instagram.gate.memory import Memory
from shared.instagram.gate.outage import OUTAGE, PROBE, Outage, is_outage_sign


class Desk:
    """A breaker at a clock that the test turns."""

    def __init__(self):
        self.now = 1_000.0
        self.memory = Memory(clock=lambda: self.now)
        rng = random.Random(7)  # noqa: S311 - jitter, no secret
        self.outage = Outage(self.memory, clock=lambda: self.now, wall=lambda: 1_700_000_000 + self.now, rng=rng)

    def fails(self, *ig_user_ids):
        for ig_user_id in ig_user_ids:
            self.outage.note(ig_user_id, UNCLEAR)

    def answers(self, *ig_user_ids):
        for ig_user_id in ig_user_ids:
            self.outage.note(ig_user_id, None)


@pytest.fixture
def desk():
    return Desk()


def refusal(code, subcode=None, *, http_status=400, is_transient=False):
    return GraphError(
        operation="create_container",
        rule=classify(code, subcode, is_transient=is_transient, http_status=http_status),
        code=code,
        subcode=subcode,
        message="",
        http_status=http_status,
        fbtrace_id=None,
        is_transient=is_transient,
    )


UNCLEAR = GraphUnclearError("no answer", operation="create_container")


@pytest.mark.parametrize(
    "error",
    [
        refusal(2, http_status=500),
        refusal(1),
        refusal(-1, 2207001),
        refusal(None, http_status=503),
        refusal(None, http_status=400, is_transient=True),
        UNCLEAR,
        GraphUnreachableError("refused", operation="profile"),
    ],
)
def test_failures_of_the_platform_are_signs_of_an_outage(error):
    """Its own errors, no answer, no way to it."""
    assert is_outage_sign(error)


@pytest.mark.parametrize(
    "error",
    [
        None,
        refusal(190, http_status=401),
        refusal(4),
        refusal(24, 2207008),
        refusal(9004, 2207052),
        refusal(1, 2207057),
        GraphUnreachableError("refused", operation="profile", through_proxy=True),
    ],
)
def test_answers_about_one_account_or_post_are_none(error):
    """A dead token, a limit, a lost container, an account's own proxy: the platform works."""
    assert not is_outage_sign(error)


@pytest.mark.parametrize(
    ("evidence", "down"),
    [
        (Evidence(accounts=3, failed=3, answered=3), True),
        (Evidence(accounts=2, failed=90, answered=0), False),
        (Evidence(accounts=50, failed=50, answered=51), False),
    ],
)
def test_an_outage_takes_several_accounts_and_half_of_the_calls(evidence, down):
    """Neither one unlucky account nor the hiccups of a busy minute."""
    assert is_outage(evidence, accounts_least=3) is down


def test_the_third_account_that_fails_opens_the_breaker(desk):
    """And not one account that fails often."""
    desk.fails("a", "a", "a", "b")
    before = desk.outage.down
    desk.fails("c")

    assert (before, desk.outage.down) == (False, True)


def test_what_failed_over_a_minute_ago_does_not_count(desk):
    """Three hiccups of an hour are no outage."""
    desk.fails("a", "b")
    desk.now += 61
    desk.fails("c")

    assert not desk.outage.down


def test_waits_grow_with_the_outages_age_and_differ(desk):
    """Fifteen seconds at first, five minutes at most, and up to half as much again."""
    desk.outage.open()
    first = [desk.outage.wait().delay_s for _ in range(100)]
    desk.now += 120
    desk.memory.put(OUTAGE, desk.memory.get(OUTAGE), seconds=10_000)
    later = desk.outage.wait().delay_s
    desk.now += 5_000
    last = [desk.outage.wait().delay_s for _ in range(100)]

    assert all(15 <= delay <= 22.5 for delay in first)
    assert len(set(first)) == 100
    assert 120 <= later <= 180
    assert all(300 <= delay <= 450 for delay in last)


def test_a_probe_whose_calls_are_answered_closes_the_breaker_when_its_try_ends(desk):
    """Not its first call already: a platform that takes a container may still not publish it."""
    desk.outage.open()
    desk.outage.begin_probe("a")

    desk.answers("a", "b")
    during = desk.outage.down
    desk.outage.end_try("a")

    assert (during, desk.outage.down) == (True, False)


def test_a_probe_that_fails_is_followed_by_a_pause(desk):
    """Nobody tries before the next wait is over, and the breaker stays open that long at least."""
    desk.outage.open()
    desk.now += 100
    desk.outage.begin_probe("a")

    desk.fails("a")
    desk.outage.end_try("a")

    assert desk.outage.down
    assert desk.memory.left_s(PROBE) == 100
    assert desk.memory.left_s(OUTAGE) == 900


def test_a_probe_that_made_no_call_gives_its_place_back(desk):
    """Its row was taken over, its container had expired, its worker was told to stop."""
    desk.outage.open()
    desk.outage.begin_probe("a")

    desk.outage.end_try("a")

    assert desk.outage.down
    assert not desk.outage.probed


def test_the_success_of_a_try_that_is_no_probe_closes_nothing(desk):
    """In an outage some calls succeed; those that were under way prove nothing."""
    desk.outage.open()
    desk.outage.begin_probe("a")

    desk.answers("b")
    desk.outage.end_try("b")

    assert desk.outage.down


def test_after_an_outage_old_failures_do_not_open_the_breaker_again(desk):
    """The minute's evidence ends with it."""
    desk.fails("a", "b", "c")
    desk.outage.begin_probe("d")
    desk.answers("d")
    desk.outage.end_try("d")

    desk.fails("a")

    assert not desk.outage.down


def test_an_outage_that_nobody_tries_is_forgotten(desk):
    """A breaker is never left open by a process that is gone."""
    desk.fails("a", "b", "c")

    desk.now += 901

    assert not desk.outage.down
