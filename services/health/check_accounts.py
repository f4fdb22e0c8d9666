"""The rhythm of all checks: who is due is asked for, judged, and given its next time."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from services.health.ask_account import NO_ANSWER, TOKEN_OF_NO_USE, Answer, ask_account
from services.health.checks import (
    BEGIN_S,
    Plan,
    Taken,
    count_unanswered,
    read_access,
    read_standings,
    take_due,
    write_answers,
    write_plans,
    write_quotas,
)
from services.health.follow_answer import follow_answer, target_of
from services.health.rescore import rescore
from services.health.rhythm import JUDGE_S, Standing, is_in_step, jittered_s, rhythm_s
from services.health.surgery import Surgery
from shared import metrics
from shared.accounts import PUBLISHABLE, AccountState, open_account
from shared.database import Row
from shared.security import TokenUnreadableError

log = structlog.get_logger()

_BATCH = 128
_rng = random.Random()  # noqa: S311 - jitter, no secret


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """An account that the platform was asked for, or would have been if it were to be called now."""

    taken: Taken
    access: Row  # as it was read before
    answer: Answer


async def check_due_once(surgery: Surgery) -> float | None:
    """One sweep over the accounts whose look is due.

    Returns:
        0 after a full batch, None for the usual rhythm of sweeps.
    """
    async with surgery.pool.acquire() as connection:
        taken = await take_due(connection, limit=_BATCH)
    if taken:
        await look_at(surgery, taken)
    return 0.0 if len(taken) == _BATCH else None


async def look_at(surgery: Surgery, taken: Sequence[Taken]) -> None:
    """Ask for those that are to be asked for, judge all, and set their next times."""
    asked = await _ask_all(surgery, [one for one in taken if one.asks])
    await _write(surgery, asked)
    await rescore(surgery, [one.account_id for one in taken])
    await _plan(surgery, taken, {one.taken.account_id: one.answer for one in asked})
    _count(asked)


async def _ask_all(surgery: Surgery, taken: Sequence[Taken]) -> list[Asked]:
    """Each account once, a bounded number at a time; those are left out that there is nothing to ask with."""
    async with surgery.pool.acquire() as connection:
        access = await read_access(connection, taken)
    asked: list[Asked] = []
    waiting = iter([one for one in taken if one.account_id in access])
    await surgery.gate.look_ahead([row["instagram_user_id"] for row in access.values()])
    ends_at = time.monotonic() + BEGIN_S
    async with asyncio.TaskGroup() as tasks:
        for _ in range(min(surgery.slots, len(access))):
            tasks.create_task(_ask_in_turn(surgery, waiting, access, asked, ends_at=ends_at))
    return asked


async def _ask_in_turn(
    surgery: Surgery, waiting: Iterator[Taken], access: Mapping[UUID, Row], asked: list[Asked], *, ends_at: float
) -> None:
    for taken in waiting:
        row = access[taken.account_id]
        in_time = time.monotonic() < ends_at
        # Whoever gets no turn in time is given back.
        answer = await _ask(surgery, taken, row) if in_time else Answer(wait_s=0.0)
        asked.append(Asked(taken=taken, access=row, answer=answer))


async def _ask(surgery: Surgery, taken: Taken, row: Row) -> Answer:
    try:
        account = open_account(row, surgery.cipher, user_id=taken.user_id, account_id=taken.account_id)
        return await ask_account(surgery, account)
    except TokenUnreadableError as error:
        # The operator's key ring is at fault: nothing can be said of the account.
        log.error("token.unreadable", account_id=str(taken.account_id), error=str(error))
    except Exception:
        # One account that cannot be asked for must not keep all others from it.
        log.exception("account.not_asked", account_id=str(taken.account_id))
    return NO_ANSWER


async def _write(surgery: Surgery, asked: Sequence[Asked]) -> None:
    """Keep what was found: of those that it moves one by one, of all others together."""
    answered: list[tuple[Taken, Answer]] = []
    quotas: list[tuple[Taken, int]] = []
    for one in asked:
        target = target_of(one.taken, one.access, one.answer)
        quota = one.answer.quota_total
        if target is not None:
            await follow_answer(surgery, one.taken, one.access["sealed"], one.answer, target)
        elif one.answer.finding is not None:
            answered.append((one.taken, one.answer))
        if quota is not None and quota != one.access["quota_total"]:
            quotas.append((one.taken, quota))
    async with surgery.pool.acquire() as connection:
        await write_answers(connection, answered)
        await count_unanswered(connection, [one.taken for one in asked if one.answer == NO_ANSWER])
        await write_quotas(connection, quotas)


async def _plan(surgery: Surgery, taken: Sequence[Taken], answers: Mapping[UUID, Answer]) -> None:
    async with surgery.pool.acquire() as connection:
        standings = await read_standings(connection, taken)
        plans = [
            _plan_one(one, standings[one.account_id], answers.get(one.account_id), usual_s=surgery.check_every_s)
            for one in taken
            if one.account_id in standings
        ]
        await write_plans(connection, plans)


def _plan_one(taken: Taken, row: Row, answer: Answer | None, *, usual_s: float) -> Plan:
    standing = Standing(
        state=AccountState(row["state"]),
        band=row["band"],
        unanswered=row["unanswered"],
        unconfirmed=_is_unconfirmed(taken, AccountState(row["state"]), answer),
    )
    rhythm = rhythm_s(standing, usual_s=usual_s)
    in_step = standing.unconfirmed or is_in_step(taken.late_s, rhythm, first=taken.answered_s is None)
    put_off_s = None if answer is None else answer.wait_s
    return Plan(
        taken=taken,
        asked=taken.asks,
        ask_s=jittered_s(rhythm, in_step=in_step, rng=_rng) if put_off_s is None else put_off_s,
        judge_s=jittered_s(JUDGE_S, in_step=in_step, rng=_rng),
    )


def _is_unconfirmed(taken: Taken, state: AccountState, answer: Answer | None) -> bool:
    """Whether the token was refused just now and not before."""
    if answer is None or state not in PUBLISHABLE:
        return False
    return answer.finding in TOKEN_OF_NO_USE and taken.finding not in TOKEN_OF_NO_USE


def _count(asked: Sequence[Asked]) -> None:
    for one in asked:
        metrics.health_checks_total.labels(finding=_outcome(one.answer)).inc()


def _outcome(answer: Answer) -> str:
    if answer.finding is not None:
        return answer.finding.value
    return "unanswered" if answer.wait_s is None else "put_off"
