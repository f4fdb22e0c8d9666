"""Pure rules of swarm, alerts and incidents."""

from uuid import UUID

import pytest

from services.health.account_alerts import alert_of, token_stage
from services.health.incident_steps import Step, is_hit, next_step, pause_s
from shared.accounts import swarm_score
from shared.alerts import AlertCode, Severity

ACCOUNT = UUID(int=1)
FOUND = {"account_id": ACCOUNT, "username": "studio", "number": None, "days_left": None, "expires_at": None}


@pytest.mark.parametrize(
    ("days_left", "severity", "stage"),
    [
        (14, Severity.INFO, 0),
        (7.01, Severity.INFO, 0),
        (7, Severity.WARNING, 0),
        (3.01, Severity.WARNING, 0),
        (3, Severity.CRITICAL, 1),
        (1.01, Severity.CRITICAL, 1),
        (1, Severity.CRITICAL, 2),
        (0.01, Severity.CRITICAL, 2),
        (0, Severity.CRITICAL, 3),
        (-5, Severity.CRITICAL, 3),
    ],
)
def test_the_end_of_a_token_is_told_in_stages(days_left, severity, stage):
    """At 14, 7, 3 and 1 days and at its end, each further than the one before."""
    assert token_stage(days_left)[:2] == (severity, stage)


@pytest.mark.parametrize(
    ("code", "number", "words"),
    [
        (AlertCode.REAUTH_REQUIRED, None, "no longer takes the access token of studio"),
        (AlertCode.ACCOUNT_RESTRICTED, None, "does not let studio publish"),
        (AlertCode.OUTCOME_UNKNOWN, 1, "whether 1 publication of studio"),
        (AlertCode.OUTCOME_UNKNOWN, 2, "whether 2 publications of studio"),
        (AlertCode.PUBLICATIONS_MISSED, 3, "studio missed 3 publications"),
    ],
)
def test_an_alert_says_what_is_wrong_and_with_what(code, number, words):
    """Each code has words of its own, that name the account and count what is concerned."""
    alert = alert_of({**FOUND, "code": code.value, "number": number}, user_id=UUID(int=2))

    assert (alert.code, alert.subject_type, alert.subject_id) == (code, "account", ACCOUNT)
    assert words in alert.text
    assert alert.details == {"username": "studio"} | ({} if number is None else {"publications": number})


@pytest.mark.parametrize(("mean", "p10", "score"), [(100, 100, 100), (90, 10, 58), (0, 0, 0), (97.3, 85.5, 92.6)])
def test_the_tail_weighs_beside_the_mean(mean, p10, score):
    """Many good accounts do not hide the tenth that is dying."""
    assert swarm_score(mean=mean, p10=p10) == score


@pytest.mark.parametrize(
    ("accounts", "tried", "hit"),
    [(3, 15, True), (3, 16, False), (2, 2, False), (3, 3, True), (20, 100, True), (19, 100, False)],
)
def test_a_fifth_of_the_accounts_and_three_at_least_make_an_incident(accounts, tried, hit):
    """Fewer are bad luck, or the accounts' own trouble."""
    assert is_hit(accounts, tried) is hit


def test_pauses_double_up_to_an_hour():
    """Five minutes first; however long it lasts, the platform is tried once an hour."""
    assert [pause_s(number) for number in (1, 2, 3, 4, 5, 6, 32_000)] == [300, 600, 1200, 2400, 3600, 3600, 3600]


@pytest.mark.parametrize(
    ("since_pause_s", "hit", "succeeded", "step"),
    [
        (-1, True, True, Step.WAIT),
        (0, True, False, Step.PAUSE),
        (5_000, True, True, Step.PAUSE),
        (899, False, True, Step.WAIT),
        (900, False, True, Step.CLOSE),
        (900, False, False, Step.WAIT),
        (3_599, False, False, Step.WAIT),
        (3_600, False, False, Step.CLOSE),
    ],
)
def test_an_incident_ends_when_a_quarter_of_an_hour_went_well(since_pause_s, hit, succeeded, step):
    """Silence is no success: without one it takes an hour."""
    assert next_step(since_pause_s=since_pause_s, hit=hit, succeeded=succeeded) is step
