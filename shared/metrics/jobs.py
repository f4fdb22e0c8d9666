"""Jobs: how they were settled, how long they waited and ran, and what was parked."""

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics.buckets import JOB_BUCKETS
from shared.metrics.zeros import begin_at_zero

jobs_total = Counter(
    "instadistro_jobs_total", "Deliveries of jobs by how they were settled.", ("type", "priority", "outcome")
)
job_wait_seconds = Histogram(
    "instadistro_job_wait_seconds",
    "From the time a job was due to the start of its handler.",
    ("type", "priority"),
    buckets=JOB_BUCKETS,
)
job_retries_total = Counter(
    "instadistro_job_retries_total", "Jobs sent to wait for another run, by where they wait.", ("step",)
)
dead_letters_total = Counter("instadistro_dead_letters_total", "Jobs parked, by why.", ("reason",))
job_seconds = Histogram(
    "instadistro_job_duration_seconds", "Run time of a job's handler.", ("type",), buckets=JOB_BUCKETS
)
jobs_in_flight = Gauge("instadistro_jobs_in_flight", "Jobs whose handler runs now, in this process.")
recurring_fired_total = Counter("instadistro_recurring_fired_total", "Firings of recurring jobs.", ("type",))
recurring_missed_total = Counter(
    "instadistro_recurring_missed_total",
    "Due times of recurring jobs that were missed, by what the job does about them.",
    ("type", "policy"),
)
recurring_broken_total = Counter(
    "instadistro_recurring_broken_total", "Recurring jobs paused because they cannot be computed any more.", ("type",)
)
dead_jobs = Gauge("instadistro_dead_jobs", "Dead jobs that wait for a person, counted up to 10,000.")

begin_at_zero(
    dead_letters_total,
    "exhausted",
    "crash_loop",
    "deadline",
    "unreadable",
    "undecodable",
    "unknown_type",
    "unknown_version",
    "permanent",
)
