"""Jobs on RabbitMQ: priorities, a retry ladder, dead letters, repeats. Product code adds jobs with its transaction."""

from shared.jobs.broker import BROKER_ERRORS, Session, keep_session, open_session, until_any
from shared.jobs.consumer import Consumer
from shared.jobs.dead import LIST_DEAD, DeadCount, DeadFilter, DeadJob, Failure, count_dead, list_dead, read_dead
from shared.jobs.discard import discard, discard_many, discard_oldest
from shared.jobs.envelope import EnvelopeError, Job, make_job, new_job, read_job, to_outbox
from shared.jobs.monitor import JobStats, job_monitor
from shared.jobs.options import (
    RETRY_STEPS_MS,
    JobOptions,
    covering_step_ms,
    create_critical_job_options,
    create_high_priority_job_options,
    create_low_priority_job_options,
    create_normal_job_options,
    create_very_low_priority_job_options,
    get_job_options_by_type,
)
from shared.jobs.outcomes import Again, Dead, Permanent, Transient
from shared.jobs.outlet import Parcel
from shared.jobs.payloads import (
    CheckAccount,
    CheckMedia,
    CleanUp,
    DeliverWebhook,
    ImportAccounts,
    Payload,
    PublishPublication,
    RefreshToken,
)
from shared.jobs.queue import JobQueue
from shared.jobs.recurring import (
    LIST_RECURRING,
    BrokenRecurringError,
    Fired,
    Recurring,
    RecurringState,
    UnknownRecurringError,
    add_recurring,
    fire_due,
    list_recurring,
    pause_recurring,
    remove_recurring,
    resume_recurring,
    run_recurring_now,
    set_rhythm,
)
from shared.jobs.redrive import Redriven, Refused, redrive, redrive_many, redrive_oldest
from shared.jobs.repeat import Misfire, Repeat, RepeatRule
from shared.jobs.run import Handler
from shared.jobs.sender import NotSentError, Sender
from shared.jobs.stats import fold_stats, read_stats, report_stats
from shared.jobs.topology import DEAD_QUEUE, OnMissing, TopologyError, declare_topology, restore_topology
from shared.jobs.types import SERVICE_OF, JobPriority, JobType
from shared.jobs.watchdog import DeafConsumerError

__all__ = [
    "BROKER_ERRORS",
    "DEAD_QUEUE",
    "LIST_DEAD",
    "LIST_RECURRING",
    "RETRY_STEPS_MS",
    "SERVICE_OF",
    "Again",
    "BrokenRecurringError",
    "CheckAccount",
    "CheckMedia",
    "CleanUp",
    "Consumer",
    "Dead",
    "DeadCount",
    "DeadFilter",
    "DeadJob",
    "DeafConsumerError",
    "DeliverWebhook",
    "EnvelopeError",
    "Failure",
    "Fired",
    "Handler",
    "ImportAccounts",
    "Job",
    "JobOptions",
    "JobPriority",
    "JobQueue",
    "JobStats",
    "JobType",
    "Misfire",
    "NotSentError",
    "OnMissing",
    "Parcel",
    "Payload",
    "Permanent",
    "PublishPublication",
    "Recurring",
    "RecurringState",
    "Redriven",
    "RefreshToken",
    "Refused",
    "Repeat",
    "RepeatRule",
    "Sender",
    "Session",
    "TopologyError",
    "Transient",
    "UnknownRecurringError",
    "add_recurring",
    "count_dead",
    "covering_step_ms",
    "create_critical_job_options",
    "create_high_priority_job_options",
    "create_low_priority_job_options",
    "create_normal_job_options",
    "create_very_low_priority_job_options",
    "declare_topology",
    "discard",
    "discard_many",
    "discard_oldest",
    "fire_due",
    "fold_stats",
    "get_job_options_by_type",
    "job_monitor",
    "keep_session",
    "list_dead",
    "list_recurring",
    "make_job",
    "new_job",
    "open_session",
    "pause_recurring",
    "read_dead",
    "read_job",
    "read_stats",
    "redrive",
    "redrive_many",
    "redrive_oldest",
    "remove_recurring",
    "report_stats",
    "restore_topology",
    "resume_recurring",
    "run_recurring_now",
    "set_rhythm",
    "to_outbox",
    "until_any",
]
