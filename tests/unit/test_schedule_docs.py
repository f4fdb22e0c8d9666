"""docs/scheduling.md tells every reason of an occurrence, and no other."""

import re
from pathlib import Path

from shared.schedules import OccurrenceReason

PAGE = Path(__file__).parents[2] / "docs" / "scheduling.md"
ROW = re.compile(r"^\| `(?:distributed|skipped|failed)` \|([^|]*)\|", re.MULTILINE)


def test_the_reasons_of_occurrences_are_those_of_the_page():
    """In the same words; whoever adds one explains it."""
    told = [reason for cell in ROW.findall(PAGE.read_text(encoding="utf-8")) for reason in re.findall(r"`(\w+)`", cell)]

    assert told == list(dict.fromkeys(told))
    assert set(told) == set(OccurrenceReason)
