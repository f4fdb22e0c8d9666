"""The score as a table of examples."""

from dataclasses import replace

import pytest

from services.health.scoring import Evidence, PastOutcome, score_account


def evidence(**changes):
    known = Evidence(token_days_left=50.0, token_dead=False, restricted=False, outcomes=[], unresolved_for_an_hour=0)
    return replace(known, **changes)


def outcomes(good, bad, blame=1.0):
    """`bad` failures first (the newest), then successes, all of today."""
    failed = [PastOutcome(age_days=0, blame=blame, published=False)] * bad
    return failed + [PastOutcome(age_days=0, blame=0, published=True)] * good


@pytest.mark.parametrize(
    ("known", "score", "band"),
    [
        (evidence(outcomes=outcomes(20, 0)), 99, "healthy"),
        (evidence(), 96, "provisional"),
        (evidence(outcomes=outcomes(0, 1, blame=0.0)), 96, "provisional"),
        (evidence(token_days_left=7.0, outcomes=outcomes(20, 0)), 77, "watch"),
        (evidence(outcomes=outcomes(10, 10)), 40, "at_risk"),
        (evidence(outcomes=outcomes(1, 3)), 46, "at_risk"),
        (evidence(token_dead=True, outcomes=outcomes(20, 0)), 10, "critical"),
        (evidence(token_days_left=-1.0, outcomes=outcomes(20, 0)), 10, "critical"),
        (evidence(restricted=True, outcomes=outcomes(20, 0)), 25, "at_risk"),
        (evidence(unresolved_for_an_hour=1, outcomes=outcomes(20, 0)), 60, "degraded"),
    ],
)
def test_score_and_band(known, score, band):
    """Each line is one account as people would judge it."""
    judged = score_account(known)

    assert (judged.score, judged.band) == (score, band)


def test_a_failure_that_is_not_the_accounts_costs_nothing():
    """The platform's bad hour is no reason to blame an account."""
    blamed, free = (score_account(evidence(outcomes=outcomes(10, 5, blame=blame))) for blame in (1.0, 0.0))

    assert blamed.score < free.score
    assert free.components["publishing"] == score_account(evidence(outcomes=outcomes(10, 0))).components["publishing"]


def test_every_gate_has_a_reason_with_advice():
    """A low score always says why and what to do."""
    judged = score_account(evidence(token_dead=True, restricted=True, unresolved_for_an_hour=2))

    assert [reason.code for reason in judged.reasons] == list(judged.gates)
    assert all(reason.advice for reason in judged.reasons)


def test_an_unknown_token_end_is_absent_not_good():
    """What is not known does not count, and lowers the confidence."""
    known, unknown = (score_account(evidence(token_days_left=days, outcomes=outcomes(10, 0))) for days in (50.0, None))

    assert "access" not in unknown.components
    assert unknown.confidence < known.confidence
