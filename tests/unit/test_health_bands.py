"""Bands: down at once, up only when it has lasted."""

import pytest

from services.health.bands import RISES_AFTER_S, Band, band_of, settle
from services.health.facts import Previous


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (100, Band.HEALTHY),
        (85, Band.HEALTHY),
        (84, Band.WATCH),
        (70, Band.WATCH),
        (69, Band.DEGRADED),
        (50, Band.DEGRADED),
        (49, Band.AT_RISK),
        (25, Band.AT_RISK),
        (24, Band.CRITICAL),
        (0, Band.CRITICAL),
    ],
)
def test_each_score_has_its_band(score, band):
    """The edges are where they are said to be."""
    assert band_of(score, confidence=1.0, gated=False) is band


def test_with_little_confidence_only_a_gate_speaks():
    """A closed gate is a fact; everything else may be chance."""
    assert band_of(97, confidence=0.29, gated=False) is Band.PROVISIONAL
    assert band_of(10, confidence=0.0, gated=True) is Band.CRITICAL
    assert band_of(97, confidence=0.3, gated=False) is Band.HEALTHY


@pytest.mark.parametrize("found", [Band.WATCH, Band.CRITICAL, Band.PROVISIONAL])
def test_a_band_that_is_not_better_counts_at_once(found):
    """Nobody waits to be told that something is wrong."""
    standing = settle(found, Previous(band="healthy"), cap=100)

    assert (standing.band, standing.rising_band) == (found, None)


def test_a_better_band_waits_for_a_second_look_after_its_time():
    """The first sight begins the wait; looks within it change nothing; the first look after it counts."""
    first = settle(Band.HEALTHY, Previous(band="at_risk"), cap=100)
    within = settle(
        Band.HEALTHY, Previous(band="at_risk", rising_band="healthy", rising_for_s=RISES_AFTER_S - 1), cap=100
    )
    after = settle(Band.HEALTHY, Previous(band="at_risk", rising_band="healthy", rising_for_s=RISES_AFTER_S), cap=100)

    assert (first.band, first.rising_band, first.rises_on) == (Band.AT_RISK, Band.HEALTHY, False)
    assert (within.band, within.rising_band, within.rises_on) == (Band.AT_RISK, Band.HEALTHY, True)
    assert (after.band, after.rising_band) == (Band.HEALTHY, None)


def test_it_rises_only_to_the_worst_that_was_seen_meanwhile():
    """A short good hour at the end, or at the beginning, is not what has lasted."""
    sunk = settle(Band.DEGRADED, Previous(band="critical", rising_band="healthy", rising_for_s=60), cap=100)
    after = settle(Band.HEALTHY, Previous(band="critical", rising_band="degraded", rising_for_s=RISES_AFTER_S), cap=100)

    assert (sunk.band, sunk.rising_band, sunk.rises_on) == (Band.CRITICAL, Band.DEGRADED, True)
    assert (after.band, after.rising_band, after.rises_on) == (Band.DEGRADED, Band.HEALTHY, False)


def test_a_relapse_ends_the_rise():
    """Whoever falls back begins to wait again."""
    assert (
        settle(Band.AT_RISK, Previous(band="at_risk", rising_band="watch", rising_for_s=800), cap=100).rising_band
        is None
    )


def test_what_can_be_judged_no_more_waits_like_any_better_band():
    """That its outcomes have become old does not free an account at once."""
    assert settle(Band.PROVISIONAL, Previous(band="critical"), cap=100).band is Band.CRITICAL
    assert settle(Band.HEALTHY, Previous(band="provisional"), cap=100).band is Band.HEALTHY


def test_a_band_that_a_gate_brought_about_ends_with_the_gate():
    """Whoever was connected again need not wait; whoever stood low beside the gate has to."""
    freed = settle(Band.HEALTHY, Previous(band="critical", cap=10), cap=100)
    still_gated = settle(Band.DEGRADED, Previous(band="critical", cap=10), cap=60)
    low_anyway = settle(Band.HEALTHY, Previous(band="critical", cap=60), cap=100)
    same_gate = settle(Band.DEGRADED, Previous(band="at_risk", cap=60), cap=60)

    assert (freed.band, freed.rising_band) == (Band.HEALTHY, None)
    assert still_gated.band is Band.DEGRADED
    assert (low_anyway.band, low_anyway.rising_band) == (Band.CRITICAL, Band.HEALTHY)
    assert (same_gate.band, same_gate.rising_band) == (Band.AT_RISK, Band.DEGRADED)
