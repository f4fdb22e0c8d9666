"""What the database knows of many accounts' health, a batch at a time: three statements, whose arrays hold the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from services.health.evidence_queries import HISTORIES, STANDINGS, TRENDS
from services.health.facts import Evidence, PastFault, Previous
from shared.accounts import AccountState
from shared.database import Connection, Row
from shared.instagram import INSTAGRAM_LOGIN, ErrorClass

#: Of use, and asked for, but publishing goes on without them.
OPTIONAL_SCOPES = (*INSTAGRAM_LOGIN.insights_scopes, "instagram_business_manage_comments")

_DAYS = 14
_EACH_MOST = 100
_TREND_DAYS, _NEWER_DAYS, _OLDER_DAYS = 28, 14, 56
# So many are needed before a change means anything.
_SNAPSHOTS_LEAST, _POSTS_LEAST = 14, 5
_DEAD = frozenset({"reauth", "other_account"})
# Refusals of a permission; others of the class mean the token itself.
_CAPABILITY, _PERMISSION, _PERMISSIONS = 3, 10, range(200, 300)
# Refusals of a token with a subcode that asks for the owner: docs/platform-errors.md.
_TOKEN = 190


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """An account with its evidence, and how it was judged before."""

    account_id: UUID
    user_id: UUID
    evidence: Evidence
    previous: Previous | None
    row: Row  # of `STANDINGS`: what was stored of it


async def read_evidence(connection: Connection, account_ids: Sequence[UUID]) -> list[Known]:
    """What is known of these accounts, in the order of their ids; nothing of those that are gone.

    Args:
        connection: any.
        account_ids: of any tenants, 500 at most.
    """
    standings = await connection.fetch(
        STANDINGS, account_ids, list(INSTAGRAM_LOGIN.publish_scopes), list(OPTIONAL_SCOPES)
    )
    histories = await connection.fetch(HISTORIES, account_ids, _DAYS, _EACH_MOST)
    trends = await connection.fetch(TRENDS, account_ids, _TREND_DAYS, _NEWER_DAYS, _OLDER_DAYS)
    history_of = {row["account_id"]: row for row in histories}
    trend_of = {row["account_id"]: row for row in trends}
    return [
        _known(row, history_of[row["account_id"]], trend_of[row["account_id"]])
        for row in standings
        # One that was added in between is known the next time.
        if row["account_id"] in history_of and row["account_id"] in trend_of
    ]


def _known(row: Row, history: Row, trend: Row) -> Known:
    errors = _faults(history, "refused") if history["refused_days"] else ()
    published, failures = _back_to_one_age(
        history["published_days"], _faults(history, "failed") if history["failed_days"] else ()
    )
    cause = _cause(errors)
    state, finding = row["state"], row["finding"]
    needs_token = state == AccountState.NEEDS_REAUTH and not row["in_incident"]
    lacks_permission = finding == "permission" or (needs_token and _is_of_permission(cause))
    restricted = state == AccountState.RESTRICTED
    evidence = Evidence(
        token_days_left=row["token_days_left"],
        token_dead=finding in _DEAD or (needs_token and not lacks_permission),
        at_checkpoint=finding == "checkpoint" or (restricted and cause is not None and cause.code == _TOKEN),
        publish_scope_lost=lacks_permission or bool(row["publish_scope_lost"]),
        restricted=restricted,
        refresh_failures=row["refresh_failures"] or 0,
        missing_scopes=row["missing_scopes"],
        published_days=published,
        failures=failures,
        errors=errors,
        unresolved=row["unresolved"],
        used_share=row["used_share"],
        engagement_ratio=_engagement(trend),
        follower_growth=_growth(trend),
    )
    return Known(
        account_id=row["account_id"], user_id=row["user_id"], evidence=evidence, previous=_previous(row), row=row
    )


def _faults(history: Row, kind: str) -> Sequence[PastFault]:
    columns = (history[f"{kind}_{column}"] for column in ("days", "classes", "codes", "subcodes"))
    return [
        PastFault(age_days=days, error_class=error_class, code=code, subcode=subcode)
        for days, error_class, code, subcode in zip(*columns, strict=True)
    ]


def _back_to_one_age(
    published: Sequence[float], failures: Sequence[PastFault]
) -> tuple[Sequence[float], Sequence[PastFault]]:
    """Both kinds, newest first, as far back as both are known: of busy accounts only the newest of each are read."""
    ends = [published[-1]] if len(published) == _EACH_MOST else []
    ends += [failures[-1].age_days] if len(failures) == _EACH_MOST else []
    if not ends:
        return published, failures
    return [days for days in published if days <= min(ends)], [one for one in failures if one.age_days <= min(ends)]


def _cause(errors: Sequence[PastFault]) -> PastFault | None:
    """The newest refusal that takes an account out of service."""
    stopping = {ErrorClass.REAUTH.value, ErrorClass.RESTRICTED.value, ErrorClass.SPAM_SUSPECTED.value}
    return min(
        (fault for fault in errors if fault.error_class in stopping), key=lambda fault: fault.age_days, default=None
    )


def _is_of_permission(cause: PastFault | None) -> bool:
    return cause is not None and (cause.code in (_CAPABILITY, _PERMISSION) or cause.code in _PERMISSIONS)


def _previous(row: Row) -> Previous | None:
    if row["band"] is None:
        return None
    return Previous(
        band=row["band"],
        cap=min(msgspec.json.decode(row["gates"]).values(), default=100),
        rising_band=row["rising_band"],
        rising_for_s=row["rising_for_s"] or 0.0,
    )


def _engagement(trend: Row) -> float | None:
    if trend["newer_posts"] < _POSTS_LEAST or trend["older_posts"] < _POSTS_LEAST or not trend["older_median"]:
        return None
    return float(trend["newer_median"] / trend["older_median"])


def _growth(trend: Row) -> float | None:
    if trend["snapshots"] < _SNAPSHOTS_LEAST or not trend["first_followers"]:
        return None
    return float(trend["last_followers"] / trend["first_followers"] - 1)
