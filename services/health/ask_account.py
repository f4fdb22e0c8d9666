"""What the platform says of one account: is its token taken, whose is it, how much has it used."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum

import structlog

from services.health.surgery import Surgery
from shared.instagram import ErrorClass, GraphAccount, GraphError, InstagramError, Profile, PublishingLimit

log = structlog.get_logger()

#: Two reads, each with its own deadline, take no longer than this together.
ASK_S = 70.0
_PERMISSION_CODES = frozenset({3, 10, *range(200, 300)})
# What the columns can hold, whatever the platform says.
_PERCENT_MOST = 1_000
_COUNT_MOST = 2**31 - 1


class Finding(StrEnum):
    """What an answer said."""

    OK = "ok"
    REAUTH = "reauth"  # the token is taken no more
    CHECKPOINT = "checkpoint"  # the owner must act in the app
    PERMISSION = "permission"  # the token may not do this
    OTHER_ACCOUNT = "other_account"  # the token is of another account


#: Those after which the account cannot publish with this token.
TOKEN_OF_NO_USE = frozenset({Finding.REAUTH, Finding.OTHER_ACCOUNT})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of asking. None: the platform did not say."""

    finding: Finding | None = None  # None: it proves nothing against the account
    wait_s: float | None = None  # it was not asked, and is to be asked after so long
    quota_used: int | None = None
    quota_total: int | None = None
    usage_percent: int | None = None
    followers_count: int | None = None
    media_count: int | None = None


NO_ANSWER = Answer()


async def ask_account(surgery: Surgery, account: GraphAccount) -> Answer:
    """Ask by the account's own token and way out, if it may be asked for now. Two reads at most; nothing is written."""
    wait = await surgery.gate.admit(account.ig_user_id)
    if wait is not None:
        return Answer(wait_s=wait.delay_s)
    surgery.usage.listen(account.ig_user_id)
    try:
        async with asyncio.timeout(ASK_S):
            return await _ask(surgery, account)
    except TimeoutError:
        return NO_ANSWER
    finally:
        surgery.usage.take(account.ig_user_id)
        surgery.gate.leave(account.ig_user_id)


def read_refusal(error: GraphError) -> Finding | None:
    """What a refused read says of the account; None if it says nothing, as a throttle or a failure does."""
    if error.error_class is ErrorClass.RESTRICTED:
        return Finding.CHECKPOINT
    if error.error_class is not ErrorClass.REAUTH:
        return None
    return Finding.PERMISSION if error.code in _PERMISSION_CODES else Finding.REAUTH


async def _ask(surgery: Surgery, account: GraphAccount) -> Answer:
    try:
        profile = await surgery.graph.profile(account)
    except GraphError as error:
        finding = read_refusal(error)
        if finding is None:
            log.info("account.not_read", error=str(error))
            return NO_ANSWER
        return Answer(finding=finding, usage_percent=_percent(surgery, account))
    except InstagramError as error:
        log.info("account.not_read", error=str(error))
        return NO_ANSWER
    if profile.ig_user_id != account.ig_user_id:
        return Answer(finding=Finding.OTHER_ACCOUNT)
    limit = await _limit(surgery, account)
    return _fit(profile, limit, _percent(surgery, account))


async def _limit(surgery: Surgery, account: GraphAccount) -> PublishingLimit | None:
    try:
        return await surgery.graph.publishing_limit(account)
    except InstagramError:
        return None  # the token is good all the same


def _percent(surgery: Surgery, account: GraphAccount) -> int | None:
    return _at_most(surgery.usage.take(account.ig_user_id), _PERCENT_MOST)


def _fit(profile: Profile, limit: PublishingLimit | None, usage_percent: int | None) -> Answer:
    return Answer(
        finding=Finding.OK,
        quota_used=_at_most(limit.used, _COUNT_MOST) if limit else None,
        quota_total=_at_most(limit.total, _COUNT_MOST) if limit else None,
        usage_percent=usage_percent,
        followers_count=_at_most(profile.followers_count, _COUNT_MOST),
        media_count=_at_most(profile.media_count, _COUNT_MOST),
    )


def _at_most(count: int | None, most: int) -> int | None:
    return None if count is None else min(count, most)
