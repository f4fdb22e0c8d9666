"""Schedules: rules in the wall clock of a zone, the due times that follow from them, and their rows."""

from shared.schedules.check import check_rule
from shared.schedules.job import occurrence_job
from shared.schedules.occurrences import Occurrence, next_at, occurrences
from shared.schedules.plan import ON_TIME, Advance, plan_occurrences
from shared.schedules.reasons import OccurrenceReason
from shared.schedules.rule import Gap, Overlap, RuleError, ScheduleRule, Slot, Weekday, read_rule
from shared.schedules.wall_clock import load_zone
from shared.schedules.write import MOST_OF_ONE, UnsettledError, occurred, settle, write_occurrences

__all__ = [
    "MOST_OF_ONE",
    "ON_TIME",
    "Advance",
    "Gap",
    "Occurrence",
    "OccurrenceReason",
    "Overlap",
    "RuleError",
    "ScheduleRule",
    "Slot",
    "UnsettledError",
    "Weekday",
    "check_rule",
    "load_zone",
    "next_at",
    "occurred",
    "occurrence_job",
    "occurrences",
    "plan_occurrences",
    "read_rule",
    "settle",
    "write_occurrences",
]
