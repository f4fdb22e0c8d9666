"""What is said of an account in an alert: pure functions of what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.alerts import Alert, AlertCode, Severity

#: What `health:monitor` looks for; alerts of these codes that it does not find are over.
FOUND_CODES = frozenset(
    {
        AlertCode.TOKEN_EXPIRING,
        AlertCode.REAUTH_REQUIRED,
        AlertCode.ACCOUNT_RESTRICTED,
        AlertCode.OUTCOME_UNKNOWN,
        AlertCode.PUBLICATIONS_MISSED,
    }
)
# Days left, the nearest end first: each is told once. The last two are both critical, and still the later one is news.
_ENDS = (
    (0.0, Severity.CRITICAL, 3, "has ended"),
    (1.0, Severity.CRITICAL, 2, "ends within a day"),
    (3.0, Severity.CRITICAL, 1, "ends within 3 days"),
    (7.0, Severity.WARNING, 0, "ends within 7 days"),
    (14.0, Severity.INFO, 0, "ends within 14 days"),
)


def alert_of(found: Mapping[str, Any], *, user_id: UUID) -> Alert:
    """The alert of something that was found.

    Args:
        found: `code`, `account_id`, `username`, and as the code has it `number`, `days_left` and `expires_at`.
        user_id: the tenant.
    """
    code = AlertCode(found["code"])
    severity, stage, text, advice = _words(code, found)
    details: dict[str, Any] = {"username": found["username"]}
    if found["number"] is not None:
        details["publications"] = found["number"]
    if found["expires_at"] is not None:
        details["expires_at"] = found["expires_at"].isoformat()
    return Alert(
        user_id=user_id,
        code=code,
        severity=severity,
        stage=stage,
        subject_type="account",
        subject_id=found["account_id"],
        text=text,
        advice=advice,
        details=details,
    )


def _words(code: AlertCode, found: Mapping[str, Any]) -> tuple[Severity, int, str, str]:
    """Severity, stage, what is wrong, and what to do."""
    who, number = found["username"], found["number"]
    match code:
        case AlertCode.TOKEN_EXPIRING:
            severity, stage, ends = token_stage(found["days_left"])
            advice = "Ask the owner to connect the account again; renewing it by itself has not worked."
            return severity, stage, f"The access token of {who} {ends}.", advice
        case AlertCode.REAUTH_REQUIRED:
            text = f"The platform no longer takes the access token of {who}; its publications are held."
            return Severity.CRITICAL, 0, text, "Ask the owner to connect the account again; what is held goes on then."
        case AlertCode.ACCOUNT_RESTRICTED:
            text = f"The platform does not let {who} publish; its publications are held."
            advice = "Ask the owner to open the Instagram app and do what it asks for, then resume the account."
            return Severity.CRITICAL, 0, text, advice
        case AlertCode.OUTCOME_UNKNOWN:
            text = f"It is not known whether {_posts(number)} of {who} went live."
            return Severity.WARNING, 0, text, "Look at the account, then resolve each publication as it is."
        case _:
            text = f"{who} missed {_posts(number)} in the last 24 hours."
            advice = "Read the reason of each in the list of publications, then retry those that are still wanted."
            return Severity.WARNING, 0, text, advice


def token_stage(days_left: float) -> tuple[Severity, int, str]:
    """How severe the end of a token is, which stage within that, and how it is said; 14 days before it at the most."""
    _, severity, stage, ends = next((end for end in _ENDS if days_left <= end[0]), _ENDS[-1])
    return severity, stage, ends


def _posts(number: int) -> str:
    return "1 publication" if number == 1 else f"{number} publications"
