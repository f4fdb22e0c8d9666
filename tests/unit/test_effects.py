"""The table of effects: complete, read by every judgement, and drawn in the docs as it is."""

import re
from pathlib import Path
from typing import Any

import pytest

from services.publisher.effects import EFFECTS, Fate, draw_effects, fault_of, judge, judge_container
from services.publisher.results import Deferred, Failed, Held, Retry
from shared.accounts import AccountState
from shared.instagram import (
    RULES,
    ContainerCode,
    ContainerStatus,
    ErrorClass,
    GraphError,
    GraphUnclearError,
    GraphUnreachableError,
)

# What each class must lead to. It says again what the table says, so that a slip of the pen there is seen.
EXPECTED = {
    ErrorClass.TRANSIENT: (Retry, "platform_error", None),
    ErrorClass.NEW_CONTAINER: (Retry, "container_lost", None),
    ErrorClass.NOT_READY: (Deferred, "processing", None),
    ErrorClass.QUOTA: (Deferred, "quota", None),
    ErrorClass.THROTTLED: (Deferred, "throttled", None),
    ErrorClass.REAUTH: (Held, "reauth_required", AccountState.NEEDS_REAUTH),
    ErrorClass.FIX_CONTENT: (Failed, "content_rejected", None),
    ErrorClass.RESTRICTED: (Held, "account_restricted", AccountState.RESTRICTED),
    ErrorClass.SPAM_SUSPECTED: (Held, "account_restricted", AccountState.RESTRICTED),
    ErrorClass.UNKNOWN: (Retry, "platform_error", None),
}


def judged(error, **rest) -> Any:
    return judge(error, **rest)


def judged_container(status) -> Any:
    return judge_container(status)


def refusal(rule, *, code=None):
    return GraphError(
        operation="media_publish",
        rule=rule,
        code=code if code is not None else rule.code,
        subcode=rule.subcode,
        message="",
        http_status=400,
        fbtrace_id=None,
        is_transient=False,
    )


def rule_of(error_class):
    """A rule of the class that is not about media that could not be fetched: that has a reason of its own."""
    return next(rule for rule in RULES if rule.error_class is error_class and rule.code != 9004)


def test_every_class_has_its_effect():
    """A new class without one would raise in the middle of a try."""
    assert set(EFFECTS) == set(EXPECTED) == set(ErrorClass)


@pytest.mark.parametrize("error_class", ErrorClass)
@pytest.mark.parametrize("unsend", [False, True])
def test_a_refusal_does_what_its_class_does(error_class, unsend):
    """Publication, account and mark of the publish call, each as the table says."""
    kind, reason, account_state = EXPECTED[error_class]

    result = judged(refusal(rule_of(error_class)), unsend=unsend)

    assert (type(result), result.reason, result.unsend) == (kind, reason, unsend)
    assert getattr(result, "account_state", None) is account_state
    assert result.fault["class"] == error_class


@pytest.mark.parametrize("error_class", ErrorClass)
def test_only_a_failed_try_counts_as_an_attempt(error_class):
    """Waiting and being held is no fault of the publication."""
    counts = isinstance(judged(refusal(rule_of(error_class))), Retry)

    assert counts == (EFFECTS[error_class].fate in {Fate.RETRY, Fate.RENEW})


def test_a_container_that_fails_each_time_is_the_medias_fault_in_the_end():
    """And the same container is not tried again."""
    result = judged(refusal(rule_of(ErrorClass.NEW_CONTAINER)))

    assert (result.spent, result.drop_container) == ("content_rejected", True)
    assert result.fault["advice"]


def test_the_platforms_own_failures_end_as_exhausted_and_keep_the_container():
    """What is ready is not made again because of a hiccup."""
    result = judged(refusal(rule_of(ErrorClass.TRANSIENT)))

    assert (result.spent, result.drop_container) == ("exhausted", False)


def test_media_that_could_not_be_fetched_has_a_reason_of_its_own():
    """Our own check of the media is asked then."""
    refused = judged(refusal(rule_of(ErrorClass.NEW_CONTAINER), code=9004))
    ended = judged_container(ContainerStatus(code=ContainerCode.ERROR, subcode=2207052, detail=""))

    assert [(result.reason, result.spent) for result in (refused, ended)] == [
        ("media_not_fetched", "content_rejected")
    ] * 2


@pytest.mark.parametrize(
    ("subcode", "kind", "reason"),
    [
        (2207026, Failed, "content_rejected"),
        (2207053, Retry, "container_failed"),
        (2207050, Retry, "container_failed"),  # what speaks of the account is heard from the next call
        (None, Retry, "container_failed"),
    ],
)
def test_a_container_that_ended_in_error_is_always_given_up(subcode, kind, reason):
    """It would say the same for ever."""
    result = judged_container(ContainerStatus(code=ContainerCode.ERROR, subcode=subcode, detail="Error"))

    assert (type(result), result.reason, result.drop_container) == (kind, reason, True)


@pytest.mark.parametrize(("through_proxy", "reason"), [(False, "platform_unreachable"), (True, "egress_unreachable")])
def test_a_call_that_never_arrived_costs_no_attempt(through_proxy, reason):
    """The network's fault, or that of the account's own way out."""
    result = judged(GraphUnreachableError("refused", operation="media", through_proxy=through_proxy))

    assert (type(result), result.reason) == (Deferred, reason)


def test_an_unclear_answer_to_a_read_or_a_container_is_tried_again():
    """Nothing irreversible was asked for."""
    assert judged(GraphUnclearError("time-out", operation="media")).reason == "platform_error"


def test_a_fault_tells_what_was_asked_and_what_to_do():
    """Without a token, whatever the platform said."""
    fault = fault_of(refusal(rule_of(ErrorClass.QUOTA)))

    assert {"operation", "class", "code", "subcode", "message", "advice", "fbtrace_id"} == set(fault)


def test_the_docs_show_the_table_as_it_is():
    """Nobody reads of an effect that the code does not have."""
    lifecycle = Path("docs/lifecycle.md").read_text()

    assert draw_effects() in lifecycle


def test_sentences_for_people_are_sentences():
    """They end, and they begin with a capital."""
    for effect in EFFECTS.values():
        assert re.fullmatch(r"[A-Z].*\.", effect.says)
