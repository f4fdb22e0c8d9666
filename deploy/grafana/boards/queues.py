"""Queues and scheduler: what waits, for how long, and who moves it."""

from __future__ import annotations

from typing import Final

from deploy.grafana.board import Board, Row, Variable
from deploy.grafana.panel import Query, lines, percentile_by, percentiles, rate_by, rising, stat

_LANES = 'priority=~"$priority"'
_SCHEDULES = "instadistro_schedule_lateness_seconds"
_SWEPT = "instadistro_loop_last_success_timestamp_seconds"
_QUICK = "relay|rescue|occurrences|leases"
_NO_RETRY = 'queue!~"jobs.retry.*"'

_NOW = Row(
    title="Now",
    panels=(
        stat(
            "Jobs waiting",
            f"sum(max by (queue, priority) (instadistro_queue_depth{{{_NO_RETRY}}}))",
            unit="short",
            limits=rising(orange=1_000),
            width=6,
            shows="Jobs that wait in the broker's queues, without those that wait for another try.",
            normal="Under 100; thousands at a rush.",
            otherwise="Depth alone says little: see whether *Oldest job, by lane* rises too.",
            alerts=("QueueGrows",),
        ),
        stat(
            "Oldest urgent job",
            'max(instadistro_queue_oldest_age_seconds{priority=~"critical|high"})',
            unit="s",
            limits=rising(orange=10, red=60),
            width=6,
            shows="The longest wait of a job that is next in its lane, of the lanes `critical` and `high`.",
            normal="Under 5 s.",
            otherwise="See *Oldest job, by lane*: all lanes of a queue rise when its service is down or hangs.",
            alerts=("UrgentJobsWait",),
        ),
        stat(
            "Outbox behind by",
            "max(instadistro_outbox_oldest_due_age_seconds)",
            unit="s",
            limits=rising(orange=10, red=60),
            width=6,
            shows="How long the oldest due job has waited for the broker to take it.",
            normal="Under 2 s.",
            otherwise=(
                "Is a scheduler up, does the broker take messages (*Messages not taken*)? Nothing is lost meanwhile."
            ),
            alerts=("OutboxStuck",),
        ),
        stat(
            "Dead jobs",
            "max(instadistro_dead_jobs)",
            unit="short",
            limits=rising(orange=1),
            width=6,
            shows="Jobs that were given up and wait for a person.",
            normal="0.",
            otherwise="`instadistro jobs dead` tells why; after the cause is mended, `instadistro jobs redrive`.",
            alerts=("DeadJobsWait",),
        ),
    ),
)

_QUEUES = Row(
    title="Queues",
    panels=(
        lines(
            "Oldest job, by lane",
            Query(
                expr=f"max by (queue, priority) (instadistro_queue_oldest_age_seconds{{{_LANES}}})",
                legend="{{queue}} {{priority}}",
            ),
            unit="s",
            limits=rising(orange=60, red=900),
            shows="How long a job waits that is next in its lane: a priority of a queue. Low lanes may wait an hour.",
            normal="Under 5 s; `critical` and `high` never over 60 s.",
            otherwise="All lanes of a queue rise together: its service is down, hung or deaf. See docs/metrics.md.",
            alerts=(
                "UrgentJobsWait",
                "JobsWait",
                "DeafConsumers",
            ),
        ),
        lines(
            "Jobs waiting, by lane",
            Query(
                expr=f"max by (queue, priority) (instadistro_queue_depth{{{_NO_RETRY}, {_LANES}}})",
                legend="{{queue}} {{priority}}",
            ),
            unit="short",
            shows="Messages that wait in each lane; under `all` where the broker does not tell priorities.",
            normal="Short peaks that are worked off.",
            otherwise="It grows for 10 minutes: more comes than workers do. Add replicas of that service.",
            alerts=(
                "QueueGrows",
                "QueueWithoutConsumers",
            ),
        ),
        lines(
            "Wait from due to begin (95th percentile)",
            percentile_by("priority", "instadistro_job_wait_seconds", matcher=f"{{{_LANES}}}"),
            unit="s",
            limits=rising(orange=60),
            shows="From a job being due (in the outbox, or after a retry's wait) to its handler beginning.",
            normal="Under 2 s for `critical` and `high`.",
            otherwise="Outbox and lanes add up to it: the one that is high is the cause.",
            alerts=("UrgentJobsWait",),
        ),
    ),
)

_BROKER = Row(
    title="The way to the broker",
    panels=(
        lines(
            "Due in the outbox",
            Query(expr="max(instadistro_outbox_due)", legend="due rows"),
            unit="short",
            shows="Rows of the outbox that are past their time and not sent.",
            normal="Near 0; a peak when a distribution is due, gone within seconds.",
            otherwise="It stays: no scheduler, or the broker refuses. It sinks slowly: PostgreSQL is slow.",
            alerts=("OutboxStuck",),
        ),
        lines(
            "Sent by the relay",
            Query(expr="sum(rate(instadistro_relay_sent_total[$__rate_interval]))", legend="sent"),
            Query(expr="sum(rate(instadistro_relay_refused_total[$__rate_interval]))", legend="refused"),
            unit="ops",
            series=("sent", "refused"),
            shows="Rows of the outbox that the broker confirmed, and those that it did not, a second.",
            normal="Sent follows what is due; refused 0.",
            otherwise="Refused rows stay and are sent again. See *Messages not taken* for why.",
            alerts=("OutboxStuck",),
        ),
        lines(
            "Messages not taken",
            rate_by("result", "instadistro_broker_publishes_total", matcher='{result!="confirmed"}'),
            unit="ops",
            series=("refused", "returned", "timeout", "failed"),
            shows="Messages a second that the broker did not confirm, by its answer.",
            normal="0.",
            otherwise=(
                "`returned`: a queue is missing (`instadistro migrate`). `timeout`: the broker is blocked or"
                " overloaded."
            ),
            alerts=("PublishesRefused",),
        ),
    ),
)

_JOBS = Row(
    title="Jobs",
    panels=(
        lines(
            "Jobs, by how they were settled",
            rate_by("outcome", "instadistro_jobs_total", matcher=f"{{{_LANES}}}"),
            unit="ops",
            stacked=True,
            series=("done", "retried", "waits", "dead", "expired"),
            shows="Deliveries of jobs a second, by outcome.",
            normal="Nearly all done; `waits` while videos are prepared or limits are used up.",
            otherwise="Many retried: *Retries* and the log of that service. Dead: `instadistro jobs dead`.",
        ),
        lines(
            "Retries, by the wait before the next try",
            rate_by("step", "instadistro_job_retries_total", per_minute=True),
            unit="cpm",
            shows="Jobs a minute sent to wait: milliseconds in the broker, or in the outbox.",
            normal="Near 0; steps of some seconds while videos are prepared.",
            otherwise="Long steps rise: the same jobs fail again and again, and will end as dead jobs.",
        ),
        lines(
            "Dead letters",
            rate_by("reason", "instadistro_dead_letters_total", per_minute=True),
            unit="cpm",
            shows="Jobs a minute that were given up, by why.",
            normal="0.",
            otherwise=(
                "`exhausted`, `deadline`: what it needed was away. `crash_loop`: it ends its process. Others: a defect."
            ),
            alerts=("DeadJobsWait",),
        ),
    ),
)

_TIME = Row(
    title="Scheduler",
    panels=(
        lines(
            "Due times of schedules",
            rate_by("state", "instadistro_schedule_occurrences_total", per_minute=True),
            unit="cpm",
            series=("distributed", "skipped", "failed", "missed"),
            shows="Due times of schedules a minute, by what came of them.",
            normal="Distributed; skipped where a post queue is empty.",
            otherwise="Failed and missed are listed with their reasons under `/v1/schedules/{id}/occurrences`.",
            alerts=("SchedulesFail",),
        ),
        lines(
            "Lateness of schedules",
            *percentiles(_SCHEDULES),
            unit="s",
            series=("p50", "p95", "p99"),
            limits=rising(orange=30, red=60),
            shows="From a schedule's due time to its publications being planned.",
            normal="Under 5 s.",
            otherwise="A scheduler is missing, or many large distributions are due at once.",
        ),
        lines(
            "Recurring jobs",
            Query(expr="60 * sum(rate(instadistro_recurring_fired_total[$__rate_interval]))", legend="fired"),
            Query(expr="60 * sum(rate(instadistro_recurring_missed_total[$__rate_interval]))", legend="missed"),
            Query(expr="60 * sum(rate(instadistro_recurring_broken_total[$__rate_interval]))", legend="broken"),
            unit="cpm",
            series=("fired", "missed", "broken"),
            shows=(
                "Firings of recurring jobs a minute, due times that were missed, and jobs paused as not computable."
            ),
            normal="Fired at a steady pace; the others 0.",
            otherwise=("Missed: schedulers were down or late. Broken: `instadistro jobs recurring` shows the error."),
            alerts=("RecurringJobBroken",),
        ),
    ),
)

_SWEEPS = Row(
    title="Loops and webhooks",
    panels=(
        lines(
            "Since a loop's last good sweep",
            Query(expr=f'max by (loop) (time() - {_SWEPT}{{loop=~"{_QUICK}"}})', legend="{{loop}}"),
            Query(  # `events` ends with the last stream of a tenant
                expr=f'max(time() - {_SWEPT}{{loop!~"{_QUICK}|events"}})', legend="the longest of all others"
            ),
            unit="s",
            width=12,
            limits=rising(red=600),
            shows="How long ago each quick loop last ended a sweep without an error, and the longest of all others.",
            normal="Quick loops seconds, never over 60 s; others under 10 minutes.",
            otherwise=(
                "One loop rises alone: it hangs or fails, the log says `loop.failed`. All of a service: it is down."
            ),
            alerts=("LoopStalled",),
        ),
        lines(
            "Deliveries to webhooks",
            rate_by("outcome", "instadistro_webhook_deliveries_total", per_minute=True),
            unit="cpm",
            width=12,
            stacked=True,
            series=("delivered", "retried", "failed", "gone", "busy"),
            shows="Tries to deliver to the receivers of webhooks a minute, by outcome.",
            normal="Delivered.",
            otherwise="Receivers' own trouble: a delivery is tried for 24 h, and `gone` disables the webhook.",
            alerts=("WebhooksFail",),
        ),
    ),
)

QUEUES: Final = Board(
    name="queues",
    title="Queues and scheduler",
    about=(
        "What waits for its turn, for how long, and what moves it. **Normal:** the oldest job is seconds old, the"
        " outbox is behind by less than 2 s, no job is dead, every loop has just run.\n\n"
        "**How to read it:** a job goes outbox, broker, worker. Behind in the outbox: scheduler or broker. Old in a"
        " queue: the service that reads it. Retried or dead: what the job needs, which its service's log names."
    ),
    variables=(
        Variable(
            name="priority",
            label="Priority",
            values=("critical", "high", "normal", "low", "very_low", "all"),
        ),
    ),
    rows=(_NOW, _QUEUES, _BROKER, _JOBS, _TIME, _SWEEPS),
)
