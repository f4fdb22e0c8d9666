from __future__ import annotations

import re
from functools import partial

import pytest

from shared.instagram import CODE_REFUSED, NOT_ON_APP, RULES, ErrorClass, GraphError, classify, classify_container
from shared.instagram.error_rules import (
    CONTAINER_FAILED,
    FLAGGED,
    NEW_SUBCODE,
    NO_IDEA,
    NOT_ALLOWED,
    OBSERVED,
    PERMISSION,
    SERVER,
    TIMED_OUT,
    TOO_FEW_VIEWERS,
    TOO_MANY,
)

T, N, W, Q = ErrorClass.TRANSIENT, ErrorClass.NEW_CONTAINER, ErrorClass.NOT_READY, ErrorClass.QUOTA
H, A, M, P = ErrorClass.THROTTLED, ErrorClass.REAUTH, ErrorClass.FIX_CONTENT, ErrorClass.RESTRICTED
S, U = ErrorClass.SPAM_SUSPECTED, ErrorClass.UNKNOWN

# code, subcode, what to do, whether a publish refused so may be live
TABLE = [
    (-2, 2207003, N, False),
    (-2, 2207020, N, False),
    (-1, 2207001, T, True),
    (-1, 2207032, N, True),
    (-1, 2207053, N, True),
    (-1, 2207073, M, True),
    (1, 2207057, M, False),
    (4, 2207051, S, True),
    (9, 2207042, Q, False),
    (24, 2207006, N, True),
    (24, 2207008, T, True),
    (25, 2207050, P, False),
    (100, 2207023, M, False),
    (100, 2207028, M, False),
    (100, 2207035, M, False),
    (100, 2207036, M, False),
    (100, 2207037, M, False),
    (100, 2207040, M, False),
    (352, 2207026, M, False),
    (9004, 2207052, N, False),
    (9007, 2207027, W, False),
    (36000, 2207004, M, False),
    (36001, 2207005, M, False),
    (36003, 2207009, M, False),
    (36004, 2207010, M, False),
    (110, 2207018, M, False),
    (None, 2207076, N, True),
    (None, 2207077, N, True),
    (None, 2207081, M, False),
    (None, 2207082, N, True),
    (None, 2207085, N, True),
    (-2, None, N, False),
    (-1, None, T, True),
    (9, None, Q, False),
    (24, None, T, True),
    (25, None, P, False),
    (352, None, M, False),
    (9004, None, N, False),
    (9007, None, W, False),
    (36000, None, M, False),
    (36001, None, M, False),
    (36003, None, M, False),
    (36004, None, M, False),
    (1, None, T, True),
    (2, None, T, True),
    (3, None, A, False),
    (10, None, A, False),
    (100, 33, U, True),
    (100, None, M, False),
    (102, None, A, False),
    (190, None, A, False),
    (190, 458, A, False),
    (190, 459, P, False),
    (190, 460, A, False),
    (190, 463, A, False),
    (190, 464, P, False),
    (190, 467, A, False),
    (190, 492, A, False),
    (506, None, M, True),
    (2500, None, M, False),
    (4, None, H, True),
    (17, None, H, False),
    (32, None, H, False),
    (341, None, H, False),
    (368, None, P, False),
    (613, None, H, False),
    (613, 1996, H, False),
    (80001, None, H, False),
    (80002, None, H, False),
]


@pytest.mark.parametrize(("code", "subcode", "error_class", "may_be_live"), TABLE)
def test_every_documented_row_is_classified(code, subcode, error_class, may_be_live):
    """A documented pair of code and subcode gives its own row, whatever flag and status come with it."""
    for is_transient, http_status in ((False, 400), (True, 500), (False, 403)):
        rule = classify(code, subcode, is_transient=is_transient, http_status=http_status)

        assert (rule.code, rule.subcode) == (code, subcode)
        assert (rule.error_class, rule.may_be_live) == (error_class, may_be_live)


def test_the_table_holds_each_row_once_and_nothing_untested():
    """No row is shadowed by another, none is outside the tested table."""
    pairs = [(rule.code, rule.subcode) for rule in RULES]

    assert len(pairs) == len(set(pairs))
    assert set(pairs) == {(code, subcode) for code, subcode, _, _ in TABLE}


OTHERS = (
    *(TOO_FEW_VIEWERS, NOT_ON_APP, CODE_REFUSED, PERMISSION, NEW_SUBCODE, CONTAINER_FAILED),
    *(FLAGGED, SERVER, TIMED_OUT, TOO_MANY, NOT_ALLOWED, NO_IDEA),
)


@pytest.mark.parametrize("rule", [*RULES, *OTHERS], ids=lambda rule: f"{rule.code}-{rule.subcode}-{rule.meaning}")
def test_every_row_speaks_to_a_person(rule):
    """Meaning is a phrase, advice is one sentence, and both can be looked up where and when they were read."""
    assert rule.meaning[0].isupper()
    assert not rule.meaning.endswith(".")
    assert rule.advice.endswith(".")
    assert rule.advice.count(".") == 1
    assert rule.source == OBSERVED or re.fullmatch(r"(/[a-z-]+)+", rule.source)
    assert re.fullmatch(r"20\d\d-[01]\d(-[0-3]\d)?", rule.seen)


@pytest.mark.parametrize(
    ("code", "subcode", "is_transient", "http_status", "error_class", "may_be_live"),
    [
        (1, 2207051, False, 400, S, True),  # a publishing subcode decides under any code
        (None, 2207027, False, 400, W, False),
        (190, 12345, False, 400, A, False),  # an unknown subcode leaves the code's row
        (7, 33, False, 400, U, True),  # small subcodes mean nothing under another code
        (7, 463, True, 400, T, True),
        (100, 2207999, False, 400, N, True),  # a publishing subcode of tomorrow
        (190, 2207999, False, 400, A, False),  # but a dead token is a dead token
        (200, None, False, 403, A, False),
        (299, None, True, 400, A, False),
        (199, None, False, 400, U, True),
        (300, None, False, 400, U, True),
        (None, None, True, 400, T, True),
        (None, None, False, 500, T, True),
        (None, None, False, 599, T, True),
        (None, None, False, 429, H, False),
        (None, None, False, 401, A, False),
        (None, None, False, 408, T, True),
        (None, None, False, 403, U, True),
        (None, None, False, 302, U, True),
    ],
)
def test_what_is_not_in_the_table_falls_through_in_order(
    code, subcode, is_transient, http_status, error_class, may_be_live
):
    """Subcode decides before code, code before the flag, the flag before the HTTP status."""
    rule = classify(code, subcode, is_transient=is_transient, http_status=http_status)

    assert (rule.error_class, rule.may_be_live) == (error_class, may_be_live)


def test_an_unknown_error_never_proves_that_nothing_was_published():
    """Whatever class says 'conclude nothing' also says 'look first'."""
    assert all(rule.may_be_live for rule in [*RULES, *OTHERS] if rule.error_class is U)


@pytest.mark.parametrize("error_class", ErrorClass)
def test_every_class_is_that_of_a_row(error_class):
    """No class is left that the platform never asks for."""
    assert error_class in {rule.error_class for rule in RULES}


@pytest.mark.parametrize(
    ("operation", "code", "subcode", "kind", "rule"),
    [
        ("story_insights", 10, None, "OAuthException", TOO_FEW_VIEWERS),
        ("profile", 100, None, "IGApiException", NOT_ON_APP),
        ("exchange_token", 100, None, "IGApiException", NOT_ON_APP),
        ("refresh_token", 100, None, "IGApiException", NOT_ON_APP),
    ],
)
def test_some_codes_mean_something_else_on_some_calls(operation, code, subcode, kind, rule):
    """There the call decides; on any other, or with another type or subcode, the code's own row holds."""
    refused = partial(classify, is_transient=False, http_status=400)

    assert refused(code, subcode, operation=operation, kind=kind) is rule
    for other in (
        {"operation": "media", "kind": kind},
        {"operation": operation if rule is NOT_ON_APP else "media", "kind": "OAuthException"},
    ):
        assert refused(code, subcode, **other) is refused(code, subcode) is not rule
    assert refused(code, 33, operation="profile", kind=kind) is not NOT_ON_APP


@pytest.mark.parametrize(
    ("subcode", "error_class"),
    [(2207052, N), (2207009, M), (2207001, N), (2207027, N), (2207999, N), (None, N), (9004, N), (36003, M), (7777, N)],
)
def test_a_failed_container_is_never_tried_again_itself(subcode, error_class):
    """For a container in ERROR the number in its text is read as subcode or code, and a retry means a new container."""
    assert classify_container(subcode).error_class is error_class


def test_a_refusal_tells_an_operator_what_to_do():
    """The error's text has operation, meaning, codes, trace and advice."""
    error = GraphError(
        operation="publish_container",
        rule=classify(9, 2207042, is_transient=False, http_status=400),
        code=9,
        subcode=2207042,
        message="Application request limit reached",
        http_status=400,
        fbtrace_id="Atrace",
        is_transient=False,
    )

    assert str(error) == (
        "publish_container: The account has reached the platform's publishing limit "
        "(code 9, subcode 2207042, HTTP 400, trace Atrace). "
        "Wait until the rolling window has room, or spread the posts over more days. "
        "The platform said: Application request limit reached"
    )
    assert (error.outcome, error.error_class, error.may_be_live) == ("quota", Q, False)
