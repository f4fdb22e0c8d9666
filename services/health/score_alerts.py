"""`health_low`: a person is told when an account leaves the bands in which nothing is to be done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from services.health.bands import Band
from services.health.verdict import Verdict
from shared.alerts import Alert, AlertCode, Severity, raise_alerts, resolve_alerts
from shared.database import Connection

#: How soon somebody should look at an account in these bands; of the others there is nothing to say.
SEVERITIES: Mapping[str, Severity] = MappingProxyType(
    {
        Band.WATCH: Severity.INFO,
        Band.DEGRADED: Severity.WARNING,
        Band.AT_RISK: Severity.CRITICAL,
        Band.CRITICAL: Severity.CRITICAL,
    }
)
_IN_WORDS = {"at_risk": "at risk"}


async def tell_of_bands(tx: Connection, verdicts: Sequence[Verdict]) -> None:
    """Raise the alerts of accounts in a low band, whatever a person said of them; resolve those of others."""
    await raise_alerts(tx, [_alert(verdict) for verdict in verdicts if verdict.score.band in SEVERITIES])
    well = defaultdict[UUID, list[UUID]](list)
    for verdict in verdicts:
        if verdict.moved and verdict.score.band not in SEVERITIES and verdict.before in SEVERITIES:
            well[verdict.known.user_id].append(verdict.known.account_id)
    await end_alerts(tx, well)


async def end_alerts(tx: Connection, over: Mapping[UUID, Sequence[UUID]]) -> None:
    """Resolve the alerts of these accounts, by tenant: they are well, or were removed."""
    for user_id, account_ids in sorted(over.items()):
        await resolve_alerts(tx, AlertCode.HEALTH_LOW, account_ids, user_id=user_id)


def _alert(verdict: Verdict) -> Alert:
    score = verdict.score
    band = score.band
    text = f"Its health is {_IN_WORDS.get(band, band)}: {score.score} of 100."
    # Where no reason is left, the account only has to stay as it is for its band to rise.
    advice = "Nothing to do: it is seen as better once that has lasted."
    if score.reasons:
        text = f"{text} {score.reasons[0].text}"
        advice = score.reasons[0].advice
    return Alert(
        user_id=verdict.known.user_id,
        code=AlertCode.HEALTH_LOW,
        severity=SEVERITIES[band],
        # The last two are both critical, and still the step between them is news.
        stage=1 if band is Band.CRITICAL else 0,
        subject_type="account",
        subject_id=verdict.known.account_id,
        text=text,
        advice=advice,
        details={"score": score.score, "band": band},
    )
