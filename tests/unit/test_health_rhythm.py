"""The rhythm of checks and what a refusal says: pure functions, by tables."""

import random
from collections import Counter
from typing import Any

import pytest

from services.health.ask_account import Finding, read_refusal
from services.health.rhythm import Standing, is_in_step, jittered_s, rhythm_s
from shared.accounts import AccountState
from shared.instagram import GraphError, classify

MINUTE, HOUR, DAY = 60, 3_600, 86_400
USUAL = 6 * HOUR


def standing(**changes):
    """A healthy account; whatever is named is another way."""
    usual: dict[str, Any] = {"state": AccountState.ACTIVE, "band": "healthy", "unanswered": 0, "unconfirmed": False}
    return Standing(**(usual | changes))


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, USUAL),
        ({"band": "provisional"}, USUAL),
        ({"band": None}, USUAL),
        ({"band": "watch"}, HOUR),
        ({"band": "degraded"}, 30 * MINUTE),
        ({"band": "at_risk"}, 15 * MINUTE),
        ({"band": "critical"}, 15 * MINUTE),
        ({"state": AccountState.NEW, "band": "provisional"}, USUAL),
        ({"state": AccountState.WARMING_UP, "band": "watch"}, HOUR),
        ({"state": AccountState.NEEDS_REAUTH, "band": "critical"}, HOUR),
        ({"state": AccountState.RESTRICTED, "band": "at_risk"}, HOUR),
        ({"state": AccountState.PAUSED, "band": "critical"}, DAY),
        ({"state": AccountState.DISCONNECTED, "unanswered": 3}, DAY),
        ({"unconfirmed": True, "band": "critical"}, 75),
        ({"unanswered": 1}, 5 * MINUTE),
        ({"unanswered": 2}, 10 * MINUTE),
        ({"unanswered": 4, "band": "critical"}, 40 * MINUTE),
        ({"unanswered": 8}, USUAL),
        ({"unanswered": 1_000}, USUAL),
    ],
)
def test_problem_accounts_are_asked_for_more_often(changes, seconds):
    """Who publishes nothing is left alone, who is in trouble is not, and silence is met with patience."""
    assert rhythm_s(standing(**changes), usual_s=USUAL) == seconds


@pytest.mark.parametrize("changes", [{"band": "watch"}, {"state": AccountState.NEEDS_REAUTH}, {"unanswered": 1}, {}])
def test_no_trouble_makes_an_account_rarer_than_the_usual(changes):
    """A rhythm that is set faster than those of problems holds for problems too."""
    assert rhythm_s(standing(**changes), usual_s=5.0) == 5.0


@pytest.mark.parametrize(("in_step", "share"), [(True, 0.1), (False, 0.5)])
def test_each_account_draws_its_own_time(in_step, share):
    """A tenth to either side in step, half to either side out of it, the mean as wished."""
    rng = random.Random(7)  # noqa: S311 - to be repeated

    drawn = [jittered_s(1_000.0, in_step=in_step, rng=rng) for _ in range(10_000)]

    assert 1_000 * (1 - share) <= min(drawn) < 1_000 * (1 - share * 0.95)
    assert 1_000 * (1 + share * 0.95) < max(drawn) <= 1_000 * (1 + share)
    assert sum(drawn) / len(drawn) == pytest.approx(1_000, rel=0.02)


@pytest.mark.parametrize(
    ("late_s", "first", "in_step"),
    [(0.0, False, True), (2_000.0, False, True), (3_000.0, False, False), (0.0, True, False)],
)
def test_who_was_never_asked_for_or_comes_late_is_out_of_step(late_s, first, in_step):
    """Late is more than a tenth of the rhythm."""
    assert is_in_step(late_s, USUAL, first=first) is in_step


def test_a_hundred_thousand_accounts_never_fire_together():
    """Imported within one minute, they come spread over hours from the second look on, and stay so."""
    rng = random.Random(11)  # noqa: S311 - to be repeated
    rhythm = rhythm_s(standing(), usual_s=USUAL)
    due = [rng.uniform(0, MINUTE) for _ in range(100_000)]

    for look in range(4):
        in_step = is_in_step(0.0, rhythm, first=look == 0)
        due = [at + jittered_s(rhythm, in_step=in_step, rng=rng) for at in due]

        busiest = max(Counter(int(at // MINUTE) for at in due).values())
        assert busiest < 2 * len(due) / (rhythm / MINUTE)


@pytest.mark.parametrize(
    ("code", "subcode", "http_status", "finding"),
    [
        (190, None, 400, Finding.REAUTH),
        (190, 458, 400, Finding.REAUTH),
        (190, 460, 400, Finding.REAUTH),
        (190, 463, 400, Finding.REAUTH),
        (102, None, 400, Finding.REAUTH),
        (None, None, 401, Finding.REAUTH),
        (190, 459, 400, Finding.CHECKPOINT),
        (190, 464, 400, Finding.CHECKPOINT),
        (25, 2207050, 400, Finding.CHECKPOINT),
        (25, None, 400, Finding.CHECKPOINT),
        (368, None, 400, Finding.CHECKPOINT),
        (3, None, 400, Finding.PERMISSION),
        (10, None, 400, Finding.PERMISSION),
        (200, None, 403, Finding.PERMISSION),
        (299, None, 403, Finding.PERMISSION),
        (1, None, 500, None),
        (2, None, 500, None),
        (4, None, 400, None),
        (17, None, 400, None),
        (80002, None, 400, None),
        (100, 33, 400, None),
        (100, None, 400, None),
        (None, None, 502, None),
        (987654, None, 400, None),
    ],
)
def test_a_refusal_says_what_it_proves_and_no_more(code, subcode, http_status, finding):
    """Throttles, failures and what nobody knows prove nothing against an account."""
    rule = classify(code, subcode, is_transient=False, http_status=http_status, operation="profile")
    error = GraphError(
        operation="profile",
        rule=rule,
        code=code,
        subcode=subcode,
        message="",
        http_status=http_status,
        fbtrace_id=None,
        is_transient=False,
    )

    assert read_refusal(error) is finding
