"""The budget of calls: who waits, and how long, after what the platform said of its limits."""

import random

import pytest

from shared.instagram import GraphError, Usage, classify
from shared.instagram.gate.budget import Budget
from shared.instagram.gate.memory import Memory

ONE, OTHER = "17841400000000001", "17841400000000002"


class Desk:
    """A budget at a clock that the test turns."""

    def __init__(self):
        self.now = 1_000.0
        self.memory = Memory(clock=lambda: self.now)
        self.budget = Budget(self.memory, rng=random.Random(7))  # noqa: S311 - jitter, no secret

    def note(self, ig_user_id=ONE, *, error=None, **usage):
        self.budget.note(ig_user_id, usage=Usage(**usage) if usage else None, error=error)

    def wait_s(self, ig_user_id=ONE):
        wait = self.budget.wait(ig_user_id)
        return wait.delay_s if wait else 0.0


@pytest.fixture
def desk():
    return Desk()


def refusal(code, subcode=None, *, http_status=400):
    return GraphError(
        operation="profile",
        rule=classify(code, subcode, is_transient=False, http_status=http_status),
        code=code,
        subcode=subcode,
        message="",
        http_status=http_status,
        fbtrace_id=None,
        is_transient=False,
    )


@pytest.mark.parametrize("code", [4, 341])
def test_a_limit_of_the_app_holds_every_account(desk, code):
    """All accounts share it, and every call made meanwhile lengthens the block."""
    desk.note(error=refusal(code))

    assert desk.wait_s(ONE) >= 120
    assert desk.wait_s(OTHER) >= 120


def test_a_pause_of_the_app_holds_every_account_until_it_ends(desk):
    """A shorter one changes nothing; who waits comes back spread."""
    desk.budget.hold_app(300)
    desk.budget.hold_app(100)
    desk.budget.hold_app(0)

    held = [desk.wait_s(ONE), desk.wait_s(OTHER)]
    desk.now += 301

    assert all(300 <= wait_s <= 375 for wait_s in held)
    assert desk.wait_s(ONE) == 0


@pytest.mark.parametrize("code", [17, 32, 613, 80001, 80002])
def test_a_limit_of_an_account_holds_that_account_alone(desk, code):
    """The others go on."""
    desk.note(error=refusal(code))

    assert desk.wait_s(ONE) >= 120
    assert desk.wait_s(OTHER) == 0


def test_too_many_requests_without_a_code_hold_the_account(desk):
    """A gateway's 429 names nobody else."""
    desk.note(error=refusal(None, http_status=429))

    assert desk.wait_s(ONE) >= 120
    assert desk.wait_s(OTHER) == 0


def test_suspected_spam_is_no_limit_of_the_app(desk):
    """Code 4 with a subcode of publishing is about the account's behaviour."""
    desk.note(error=refusal(4, 2207051))

    assert desk.wait_s(ONE) == 0


def test_the_time_the_platform_tells_is_waited_for(desk):
    """Not a second less, and not much more."""
    desk.note(error=refusal(80002), account_percent=100, regain_s=1_200.0)

    assert 1_200 <= desk.wait_s() <= 1_500
    desk.now += 1_199
    assert desk.wait_s() > 0
    desk.now += 2
    assert desk.wait_s() == 0


def test_an_accounts_time_does_not_hold_the_app(desk):
    """The header tells when this account may call again; of the app it tells no time."""
    desk.note(error=refusal(4), regain_s=36_000.0)

    assert desk.wait_s(ONE) >= 36_000
    assert 120 <= desk.wait_s(OTHER) <= 240


def test_a_repeated_refusal_waits_twice_as_long_up_to_an_hour(desk):
    """As long as the platform goes on refusing at the end of each wait."""
    waits = []
    for _ in range(7):
        desk.note(error=refusal(17))
        left_s = desk.memory.left_s(f"ig:block:account:{ONE}")
        waits.append(left_s)
        desk.now += left_s + 1

    assert waits == [120, 240, 480, 960, 1_920, 3_600, 3_600]


def test_calls_that_were_under_way_do_not_lengthen_the_wait(desk):
    """Sixty-four workers are refused at once: that is one refusal."""
    for _ in range(64):
        desk.note(error=refusal(4))

    assert desk.memory.left_s("ig:block:app") == 120


def test_a_used_up_limit_waits_before_anybody_is_refused(desk):
    """The headers say it with a success."""
    desk.note(app_percent=100)

    assert 300 <= desk.wait_s(OTHER) <= 400


def test_near_a_limit_ever_fewer_go(desk):
    """From all at 89 % to one of eleven at 99 %, the others after a wait that grows with the share."""
    went, longest = {}, {}
    for percent in (89, 90, 95, 99):
        desk.note(account_percent=percent)
        waits = [desk.wait_s() for _ in range(1_000)]
        went[percent], longest[percent] = waits.count(0.0), max(waits)

    assert went[89] == 1_000
    assert 850 < went[90] < 950
    assert 400 < went[95] < 510
    assert 50 < went[99] < 140
    assert longest[90] < 42 < longest[95] < 246 < longest[99] < 410


def test_a_share_that_has_fallen_lets_all_go_again(desk):
    """The next answer's header counts, not the highest."""
    desk.note(account_percent=99)

    desk.note(account_percent=40)

    assert [desk.wait_s() for _ in range(100)] == [0.0] * 100


def test_ten_thousand_that_waited_do_not_come_back_in_one_second(desk):
    """The end of the app's wait is one moment; what waited for it is spread over a minute at least."""
    desk.note(error=refusal(4))
    desk.now += 119

    waits = [desk.wait_s() for _ in range(10_000)]

    seconds = [int(wait) for wait in waits]
    assert max(seconds.count(second) for second in set(seconds)) < 300
    assert min(waits) >= 1
