"""For tests of handlers: a queue in memory that runs them inline, by a clock that the test moves."""

from shared.jobs.testing.inline import InlineJobs, Waiting

__all__ = ["InlineJobs", "Waiting"]
