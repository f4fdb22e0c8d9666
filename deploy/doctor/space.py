"""How much room a disk should have."""

from __future__ import annotations

from deploy.doctor.finding import Verdict, failed, ok, warning

_MB = 10**6
_GB = 10**9
#: Below this the broker of the private system takes no jobs, and a video may not fit any more.
LEAST_BYTES = 500 * _MB
#: Below this a day of uploads may fill it.
FEW_BYTES = 5 * _GB


def judge_space(free: int, *, place: str) -> Verdict:
    """What so many free bytes mean for `place`."""
    if free >= FEW_BYTES:
        return ok(f"{_amount(free)} are free for {place}.")
    do = "Free some space, or move it to a larger disk."
    says = f"Only {_amount(free)} are free for {place}."
    return failed(says, do=do) if free < LEAST_BYTES else warning(says, do=do)


def _amount(number: int) -> str:
    return f"{number / _GB:.1f} GB" if number >= _GB else f"{number // _MB} MB"
