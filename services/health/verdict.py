"""What is new about an account that was judged: which of it is stored, told, and takes effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from services.health.bands import Band
from services.health.effects import caution_for
from services.health.evidence import Known
from services.health.scoring import FORMULA_VERSION, Score, score_account

# A score that stays is written so often all the same: it tells when it was last computed.
_REFRESH_S = 600.0
# History has a line where something moved, else one a day.
_HISTORY_POINTS = 3
_HISTORY_S = 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """An account, as it was and as it is judged now."""

    known: Known
    score: Score
    before: str  # the band until now; of an account that nobody has judged nothing was known
    moved: bool  # it is in another band
    regated: bool  # a gate was opened or closed
    shown: bool  # clients see another score

    @property
    def is_event(self) -> bool:
        """Whether others should hear of it."""
        return self.moved or self.regated

    @property
    def is_stored(self) -> bool:
        """Whether it is written: it is another one, or its row has become old."""
        row = self.known.row
        return (
            self.shown
            or self.takes_effect
            or row["judged_ago_s"] >= _REFRESH_S
            or row["formula_version"] != FORMULA_VERSION
            or row["stored_exposure"] != row["exposure"]
            or row["rising_band"] != self.score.rising_band
        )

    @property
    def is_noted(self) -> bool:
        """Whether history gets a line."""
        row = self.known.row
        return (
            self.is_event
            or row["noted_score"] is None
            or row["noted_ago_s"] >= _HISTORY_S
            or abs(row["noted_score"] - self.score.score) >= _HISTORY_POINTS
        )

    @property
    def takes_effect(self) -> bool:
        """Whether the account is to be treated in another way."""
        return self.moved or self.known.row["caution"] != caution_for(self.score.band)


def judge(known: Known) -> Verdict:
    """Judge an account by its evidence."""
    score = score_account(known.evidence, previous=known.previous)
    row = known.row
    before = known.previous.band if known.previous else Band.PROVISIONAL
    regated = _read(row["gates"] or "{}") != score.gates
    return Verdict(
        known=known,
        score=score,
        before=before,
        moved=score.band != before,
        regated=regated,
        shown=regated
        or row["band"] != score.band
        or row["score"] != score.score
        or [reason["code"] for reason in _read(row["reasons"])] != [reason.code for reason in score.reasons],
    )


def _read(stored: str) -> Any:
    return msgspec.json.decode(stored)
