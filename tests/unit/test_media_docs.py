"""The table of formats in docs/media.md is that of the rules."""

from __future__ import annotations

from pathlib import Path

from services.api.media.picture_limits import JPEG_BYTES_MAX
from shared.instagram import FORMAT_RULES, FormatRule, MediaFormat

PAGE = Path(__file__).parents[2] / "docs" / "media.md"
MB = 1024 * 1024


def row_of(wanted: MediaFormat, rule: FormatRule) -> str:
    ratio = f"{float(rule.ratio_min):g} to {float(rule.ratio_max):g}" if rule.ratio_min and rule.ratio_max else ""
    width = f"{rule.width_max} or less" if rule.width_max else ""
    duration = (
        f"{rule.duration_min_ms / 1000:g} s to {rule.duration_max_ms / 1000:g} s"
        if rule.duration_min_ms and rule.duration_max_ms
        else ""
    )
    cells = (f"`{wanted}`", rule.kind, f"{rule.bytes_max // MB} MiB", ratio, width, duration)
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


def test_the_table_of_formats_is_that_of_the_rules():
    """Each format stands in it with its limits, in the order of the code, and no other does."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]

    assert rows == [row_of(wanted, FORMAT_RULES[wanted]) for wanted in MediaFormat]


def test_what_is_converted_is_small_enough_for_every_format():
    """The process that converts knows the limit by a number of its own."""
    assert {rule.bytes_max for rule in FORMAT_RULES.values() if rule.kind == "image"} == {JPEG_BYTES_MAX}
