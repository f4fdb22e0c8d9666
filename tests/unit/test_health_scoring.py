"""The score: the published examples as a table, and what holds for whatever is known of an account."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.health.blame import BY_CLASS
from services.health.components import VITAL, WEIGHTS, Component
from services.health.facts import Evidence, PastFault
from services.health.gates import CAPS, Gate
from services.health.scoring import score_account
from shared.instagram import ErrorClass

#: A token that lasts, and room for more; nothing else is known.
NEW = Evidence(token_days_left=50.0, used_share=0.1)
#: An account of which all is known: 20 publications, all live, and an audience that stays.
STEADY = replace(NEW, published_days=[0.0] * 20, engagement_ratio=1.0, follower_growth=0.0)


def faults(count, error_class, *, age_days=0.0, **numbers):
    return [PastFault(age_days=age_days, error_class=error_class, **numbers)] * count


def failed(evidence, count, *, refusals=None):
    """So many of the publications failed by the account's fault, by as many light refusals unless said otherwise."""
    return replace(
        evidence,
        published_days=evidence.published_days[count:],
        failures=faults(count, "throttled"),
        errors=faults(count if refusals is None else refusals, "throttled"),
    )


SPAM = [*faults(1, "spam_suspected", code=4, subcode=2207051), *faults(1, "throttled", code=17)]


@pytest.mark.parametrize(
    ("known", "score", "band"),
    [
        (STEADY, 97, "healthy"),
        (NEW, 97, "provisional"),
        (failed(NEW, 1), 71, "provisional"),
        (failed(STEADY, 1), 89, "healthy"),
        (failed(STEADY, 4), 69, "degraded"),
        # Some of the ten were tried twice: half of 20 with ten refusals are 43.
        (failed(STEADY, 10, refusals=16), 41, "at_risk"),
        (failed(STEADY, 10), 43, "at_risk"),
        (replace(STEADY, token_days_left=9.0), 85, "healthy"),
        (replace(STEADY, token_days_left=5.0, refresh_failures=1), 59, "degraded"),
        # So near its quota it was throttled twice: without that 92.
        (replace(STEADY, used_share=0.95, errors=faults(2, "throttled")), 81, "watch"),
        (replace(STEADY, used_share=0.95), 92, "healthy"),
        (replace(STEADY, engagement_ratio=0.5), 93, "healthy"),
        (replace(STEADY, errors=SPAM), 40, "at_risk"),
        (replace(STEADY, token_dead=True, errors=faults(1, "reauth", code=190)), 10, "critical"),
    ],
    ids=[
        "steady",
        "new",
        "first post failed",
        "1 of 20 failed",
        "4 of 20 failed",
        "half failed",
        "half failed at the first try",
        "9 days left",
        "5 days left, one renewal failed",
        "quota 95 %, throttled",
        "quota 95 %",
        "engagement halves",
        "2207051 today",
        "token dead",
    ],
)
def test_the_examples_come_out_as_published(known, score, band):
    """Each line is one account as docs/health.md shows it."""
    judged = score_account(known, previous=None)

    assert (judged.score, judged.band) == (score, band)


@pytest.mark.parametrize(
    ("known", "ungated"),
    [
        (replace(STEADY, errors=SPAM), 66),
        (replace(STEADY, token_dead=True, errors=faults(1, "reauth", code=190)), 42),
    ],
    ids=["2207051 today", "token dead"],
)
def test_without_its_gate_an_account_would_look_better_than_it_is(known, ungated):
    """What the weighted mean and the weakest vital component alone would say."""
    judged = score_account(known, previous=None)

    mean = sum(judged.weights[component] * value for component, value in judged.components.items())
    assert round(0.7 * mean + 0.3 * min(judged.components[component] for component in VITAL)) == ungated


AGES = st.floats(0, 14)
FAULTS = st.lists(
    st.builds(
        PastFault,
        age_days=AGES,
        error_class=st.sampled_from([*BY_CLASS, None, "unclear"]),
        code=st.sampled_from([None, -1, 4, 190, 368, 10, 80002]),
        subcode=st.sampled_from([None, 2207051, 2207050]),
    ),
    max_size=12,
)
EVIDENCE = st.builds(
    Evidence,
    token_days_left=st.none() | st.floats(-5, 70),
    token_dead=st.booleans(),
    at_checkpoint=st.booleans(),
    publish_scope_lost=st.booleans(),
    restricted=st.booleans(),
    refresh_failures=st.integers(0, 9),
    missing_scopes=st.integers(0, 2),
    published_days=st.lists(AGES, max_size=30),
    failures=FAULTS,
    errors=FAULTS,
    unresolved=st.integers(0, 3),
    used_share=st.none() | st.floats(0, 12),
    engagement_ratio=st.none() | st.floats(0, 100),
    follower_growth=st.none() | st.floats(-1, 50),
)


@given(known=EVIDENCE)
def test_a_score_is_within_bounds_and_never_above_a_gate(known):
    """Whatever is known of an account: 0 to 100, and no good number outweighs a closed gate."""
    judged = score_account(known, previous=None)

    assert 0 <= judged.score <= min([100, *judged.gates.values()])
    assert all(0 <= value <= 100 for value in judged.components.values())
    assert 0 <= judged.confidence <= 1
    assert sum(judged.weights.values()) == pytest.approx(1)


@given(known=EVIDENCE, fault=FAULTS.filter(bool))
def test_more_failures_never_raise_a_score(known, fault):
    """Neither a failed publication, nor a refusal, nor a renewal that failed once more."""
    worse = (
        replace(known, failures=[*known.failures, *fault]),
        replace(known, errors=[*known.errors, *fault]),
        replace(known, refresh_failures=known.refresh_failures + 1),
        replace(known, unresolved=known.unresolved + 1),
        replace(known, missing_scopes=known.missing_scopes + 1),
    )
    before = score_account(known, previous=None).score

    assert all(score_account(one, previous=None).score <= before for one in worse)


@given(known=EVIDENCE, more=st.floats(0, 60))
def test_more_days_never_lower_a_score(known, more):
    """A token that lasts longer is never worse."""
    days = known.token_days_left if known.token_days_left is not None else 3.0
    now, later = (replace(known, token_days_left=left) for left in (days, days + more))

    assert score_account(later, previous=None).score >= score_account(now, previous=None).score


@given(known=EVIDENCE, order=st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_told_does_not_matter(known, order):
    """What ended at the same time may be told in any order."""
    mixed = replace(
        known,
        published_days=order.sample(known.published_days, len(known.published_days)),
        failures=order.sample(known.failures, len(known.failures)),
        errors=order.sample(known.errors, len(known.errors)),
    )
    one, other = (score_account(evidence, previous=None) for evidence in (known, mixed))

    assert abs(one.score - other.score) <= 1  # sums of fractions round by their order
    assert (one.gates, one.confidence) == (other.gates, other.confidence)


@pytest.mark.parametrize(
    ("gate", "known"),
    [
        (Gate.TOKEN_DEAD, replace(STEADY, token_dead=True)),
        (Gate.TOKEN_DEAD, replace(STEADY, token_days_left=0.0)),
        (Gate.CHECKPOINT, replace(STEADY, at_checkpoint=True)),
        (Gate.PUBLISH_SCOPE_LOST, replace(STEADY, publish_scope_lost=True)),
        (Gate.RESTRICTED, replace(STEADY, restricted=True)),
        (
            Gate.POLICY_BLOCK,
            replace(STEADY, errors=faults(1, "restricted", code=368), published_days=[1.0] * 20),
        ),
        (Gate.SPAM_SUSPECTED, replace(STEADY, errors=faults(1, "spam_suspected", age_days=0.9, subcode=2207051))),
        (Gate.RENEWAL_FAILING, replace(STEADY, token_days_left=2.9, refresh_failures=2)),
        (Gate.FAILURES_IN_A_ROW, replace(STEADY, failures=faults(3, "reauth"), published_days=[1.0] * 20)),
        (Gate.UNRESOLVED, replace(STEADY, unresolved=1)),
    ],
)
def test_each_gate_closes_by_its_fact_and_says_what_to_do(gate, known):
    """Its cap is in force, and the first reason is its own."""
    judged = score_account(known, previous=None)

    assert judged.gates == {gate: CAPS[gate]}
    assert judged.score <= CAPS[gate]
    assert judged.reasons[0].code == gate
    assert judged.reasons[0].advice


@pytest.mark.parametrize(
    "known",
    [
        replace(STEADY, errors=faults(1, "restricted", code=368, age_days=1.0)),
        replace(STEADY, errors=faults(1, "spam_suspected", age_days=1.1, subcode=2207051)),
        replace(STEADY, token_days_left=3.1, refresh_failures=2),
        replace(STEADY, failures=faults(3, "reauth", age_days=1.0)),
        replace(STEADY, failures=faults(9, "transient"), published_days=[1.0] * 20),
    ],
    ids=["published since the block", "a day ago", "four days left", "published since", "the platform's own"],
)
def test_a_gate_opens_when_evidence_clears_it(known):
    """Nothing is held against an account for longer than it is true."""
    assert score_account(known, previous=None).gates == {}


def test_failures_that_are_not_the_accounts_cost_nothing():
    """The platform's bad hour, our own faults and unknown errors are no reason to blame an account."""
    for error_class in ("transient", "unknown", "not_ready", "quota", "unclear", None):
        bad_hour = replace(STEADY, failures=faults(9, error_class), errors=faults(30, error_class))

        assert score_account(bad_hour, previous=None).score == score_account(STEADY, previous=None).score


def test_what_is_not_known_is_absent_and_lowers_the_confidence():
    """Weights are shared out among what is known; nothing is assumed."""
    judged = score_account(replace(STEADY, token_days_left=None, used_share=None), previous=None)

    assert set(judged.components) == set(WEIGHTS) - {Component.ACCESS, Component.CAPACITY}
    assert judged.weights[Component.PUBLISHING] == pytest.approx(0.5)
    assert judged.confidence == pytest.approx(0.6)


def test_reasons_are_the_three_that_cost_most():
    """The dearest first; what costs less than a point is not mentioned."""
    known = replace(failed(STEADY, 2), token_days_left=6.0, used_share=0.9, engagement_ratio=0.9, follower_growth=-0.01)

    reasons = score_account(known, previous=None).reasons

    assert [reason.code for reason in reasons] == ["token_expiring", "failures", "capacity"]
    assert reasons[0].text == "The access token ends in 6 days."
    assert all(reason.advice for reason in reasons)


def test_an_account_without_trouble_has_no_reasons():
    """Nothing is said where nothing is to be done."""
    assert score_account(STEADY, previous=None).reasons == []


def test_each_class_of_error_has_its_weight():
    """A class that is added later must be judged on purpose."""
    assert set(BY_CLASS) == {error_class.value for error_class in ErrorClass}
