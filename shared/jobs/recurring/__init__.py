"""Recurring jobs: rows that say what is due when, and the sweep that turns due times into jobs of the outbox."""

from shared.jobs.recurring.add import Recurring, add_recurring
from shared.jobs.recurring.control import (
    LIST_RECURRING,
    BrokenRecurringError,
    RecurringState,
    UnknownRecurringError,
    list_recurring,
    pause_recurring,
    remove_recurring,
    resume_recurring,
    run_recurring_now,
)
from shared.jobs.recurring.fire import Fired, fire_due

__all__ = [
    "LIST_RECURRING",
    "BrokenRecurringError",
    "Fired",
    "Recurring",
    "RecurringState",
    "UnknownRecurringError",
    "add_recurring",
    "fire_due",
    "list_recurring",
    "pause_recurring",
    "remove_recurring",
    "resume_recurring",
    "run_recurring_now",
]
